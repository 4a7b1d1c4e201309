// Reads where Redis is: one server, a master that sentinels watch, or a cluster; and what a log's keys may begin with. It
// connects to nothing, and what it says of an address holds nothing of it, for a password may be in it.
import { readFileSync } from 'node:fs'
import { OptionError } from '../../errors.ts'

export interface Host {
  readonly host: string
  readonly port: number
}

export interface Login {
  readonly username?: string
  readonly password?: string
}

/** What is known of TLS besides that it is spoken: certificates as PEM. */
export interface Tls {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  /** The name that the certificates are for, where it is not the host's. */
  readonly servername?: string
}

export interface RedisAddress {
  readonly kind: 'one' | 'sentinel' | 'cluster'
  /** Whom to dial, or else whom to ask whom to dial. */
  readonly hosts: readonly Host[]
  /** What sentinels call the master. */
  readonly master: string
  readonly login: Login
  readonly sentinelLogin: Login
  readonly database: number
  /** Undefined where TLS is not spoken. */
  readonly tls: Tls | undefined
}

const form = /^redis(s?):\/\/([^/?#]*)(\/[^?#]*)?(\?[^#]*)?$/
const formOfMany = /^redis(s?)\+(sentinel|cluster):\/\/([^/?#]*)(\/[^?#]*)?(\?[^#]*)?$/

const tlsParameters = ['ca', 'cert', 'key', 'servername']
const sentinelParameters = ['sentinelUsername', 'sentinelPassword']

/** @throws OptionError that says what is wrong, but never what was given: a password may be in it. */
export function parseAddress(url: string): RedisAddress {
  const [, isTls, authority = '', path = '', query = ''] = form.exec(url) ?? []
  if (isTls !== undefined) return addressOf('one', isTls !== '', authority, path, query)
  const [, isTlsToo, kind, hosts = '', more = '', parameters = ''] = formOfMany.exec(url) ?? []
  if (isTlsToo !== undefined) return addressOf(kind as 'sentinel' | 'cluster', isTlsToo !== '', hosts, more, parameters)
  throw new OptionError(
    'url',
    'expected an address such as redis://localhost:6379/0, rediss://user:password@host, redis+sentinel://host:26379/mymaster or redis+cluster://host:6379'
  )
}

/** Where Redis is, as people may be shown it. */
export function placeOf(url: string): string {
  const { hosts, kind, master } = parseAddress(url)
  const list = hosts.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`).join(',')
  return kind === 'sentinel' ? `${list}, which name the master ${JSON.stringify(master)}` : list
}

/**
 * Looks at a part of what every key begins with, `{prefix:name}`: what lies between the braces decides where a cluster keeps it.
 * @throws OptionError
 */
export function checkName(option: 'prefix' | 'name', text: string): void {
  if (text === '' || text.length > 200) throw new OptionError(option, `expected 1 to 200 characters`)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[{}\u0000-\u001f\u007f]/.test(text))
    throw new OptionError(option, `braces and control characters cannot be part of it`)
  // Or else a:b with c would be the same log as a with b:c.
  if (option === 'name' && text.includes(':')) throw new OptionError('name', 'a colon cannot be part of it')
}

function addressOf(
  kind: RedisAddress['kind'],
  isTls: boolean,
  authority: string,
  path: string,
  query: string
): RedisAddress {
  const at = authority.lastIndexOf('@')
  const [, username = '', password = ''] = /^([^:]*):?(.*)$/s.exec(authority.slice(0, Math.max(0, at))) ?? []
  const known = [...(isTls ? tlsParameters : []), ...(kind === 'sentinel' ? sentinelParameters : [])]
  const parameters = readParameters(query, known)
  const { sentinelUsername, sentinelPassword, ...tls } = parameters
  return {
    kind,
    hosts: readHosts(authority.slice(at + 1), kind),
    ...readPath(kind, path),
    login: loginOf(decode(username), decode(password)),
    sentinelLogin: loginOf(sentinelUsername, sentinelPassword),
    tls: isTls ? readTls(tls) : undefined
  }
}

function loginOf(username = '', password = ''): Login {
  return { ...(username !== '' && { username }), ...(password !== '' && { password }) }
}

function readHosts(text: string, kind: RedisAddress['kind']): Host[] {
  const port = kind === 'sentinel' ? 26379 : 6379
  if (kind !== 'one' && text === '')
    throw new OptionError('url', 'expected the hosts to ask, such as host1:7000,host2:7000')
  return (kind === 'one' ? [text] : text.split(',')).map((one) => readHost(one, port))
}

function readHost(text: string, usual: number): Host {
  const address = `redis://${text}`
  if (text === '') return { host: 'localhost', port: usual }
  if (!URL.canParse(address) || /[@/\\]/.test(text)) throw new OptionError('url', 'expected a host, such as host:6379')
  const { hostname, port } = new URL(address)
  if (hostname === '' && port !== '') return { host: 'localhost', port: Number(port) }
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || usual) }
}

function readPath(kind: RedisAddress['kind'], path: string): { master: string; database: number } {
  if (kind === 'cluster' && path.length > 1) throw new OptionError('url', 'a cluster has no databases to choose from')
  const parts = path.split('/').slice(1)
  const master = kind === 'sentinel' ? decode(parts.shift() ?? '') : ''
  if (kind === 'sentinel' && master === '')
    throw new OptionError('url', 'expected the name that the sentinels have for the master, such as /mymaster')
  const [database = '', ...rest] = parts
  if (!/^\d{0,6}$/.test(database) || rest.length > 0)
    throw new OptionError(
      'url',
      `expected a database number after the ${master === '' ? 'host' : 'master'}, such as /0`
    )
  return { master, database: Number(database) }
}

function readParameters(query: string, known: readonly string[]): Record<string, string> {
  const parameters = new URLSearchParams(query)
  for (const name of parameters.keys()) {
    if (known.includes(name) && parameters.getAll(name).length === 1) continue
    const may = known.length === 0 ? 'there are none here' : `there are ${known.join(', ')}, each at most once`
    throw new OptionError('url', `a parameter after the ? is not known: ${may}`)
  }
  return Object.fromEntries(parameters)
}

function readTls({ ca, cert, key, servername }: Record<string, string>): Tls {
  if ((cert === undefined) !== (key === undefined)) throw new OptionError('url', 'cert and key go together')
  return {
    ...(ca !== undefined && { ca: readPem('ca', ca) }),
    ...(cert !== undefined && { cert: readPem('cert', cert) }),
    ...(key !== undefined && { key: readPem('key', key) }),
    ...(servername !== undefined && { servername })
  }
}

function readPem(parameter: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new OptionError(
      'url',
      `the file that ${parameter} names cannot be read: ${(error as NodeJS.ErrnoException).code}`
    )
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new OptionError('url', 'user, password or name hold a % that begins no escape')
  }
}
