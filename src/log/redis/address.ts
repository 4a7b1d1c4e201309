// Parses the address of Redis: one server, a master that sentinels watch, or a cluster. Its errors never contain the address, which
// may hold a password.
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

/** Options of TLS; certificates as PEM. */
export interface Tls {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  /** The name in the server's certificate. Default: the host. */
  readonly servername?: string
}

export interface RedisAddress {
  readonly kind: 'one' | 'sentinel' | 'cluster'
  /** The server to connect to, or the sentinels or cluster nodes to ask. */
  readonly hosts: readonly Host[]
  /** The name of the master, for sentinels. */
  readonly master: string
  readonly login: Login
  readonly sentinelLogin: Login
  readonly database: number
  /** Undefined without TLS. */
  readonly tls: Tls | undefined
}

const form = /^redis(s?):\/\/([^/?#]*)(\/[^?#]*)?(\?[^#]*)?$/
const formOfMany = /^redis(s?)\+(sentinel|cluster):\/\/([^/?#]*)(\/[^?#]*)?(\?[^#]*)?$/

const tlsParameters = ['ca', 'cert', 'key', 'servername']
const sentinelParameters = ['sentinelUsername', 'sentinelPassword']

/** @throws OptionError that never contains the address */
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

/** The address without passwords, for logs. */
export function placeOf(url: string): string {
  const { hosts, kind, master } = parseAddress(url)
  const list = hosts.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`).join(',')
  return kind === 'sentinel' ? `${list}, which name the master ${JSON.stringify(master)}` : list
}

/**
 * Checks a part of `{prefix:name}`, with which every key begins. In a cluster it is the hash tag, so all keys are on one node.
 * @throws OptionError
 */
export function checkName(option: 'prefix' | 'name', text: string): void {
  if (text === '' || text.length > 200) throw new OptionError(option, 'expected 1 to 200 characters')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the check is for control characters
  if (/[{}\u0000-\u001f\u007f]/.test(text))
    throw new OptionError(option, 'expected a text without braces and control characters')
  // Otherwise prefix `a:b` with name `c` would be the same log as prefix `a` with name `b:c`.
  if (option === 'name' && text.includes(':')) throw new OptionError('name', 'expected a text without a colon')
}

/**
 * Checks the options that say where a log in Redis is, without connecting.
 * @throws OptionError that names the option, and never contains the address: a password may be in it
 */
export function checkAddress({ url, prefix, name }: { url: string; prefix: string; name: string }): void {
  parseAddress(url)
  checkName('prefix', prefix)
  checkName('name', name)
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
  if (kind === 'cluster' && path.length > 1)
    throw new OptionError('url', 'a cluster has no numbered databases; remove the path from the URL')
  const parts = path.split('/').slice(1)
  const master = kind === 'sentinel' ? decode(parts.shift() ?? '') : ''
  if (kind === 'sentinel' && master === '')
    throw new OptionError(
      'url',
      'expected the name of the master after the hosts, such as /mymaster, as the sentinels know it'
    )
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
    const may = known.length === 0 ? 'this URL has no parameters' : `expected ${known.join(', ')}, each at most once`
    throw new OptionError('url', `a parameter after the ? is unknown or repeated; ${may}`)
  }
  return Object.fromEntries(parameters)
}

function readTls({ ca, cert, key, servername }: Record<string, string>): Tls {
  if ((cert === undefined) !== (key === undefined))
    throw new OptionError('url', 'cert and key require each other; give both, or neither')
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
      `the file of the parameter ${parameter} cannot be read: ${(error as NodeJS.ErrnoException).code}; check its path and permissions`
    )
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new OptionError('url', 'user, password or name contains a % that starts no escape; write it as %25')
  }
}
