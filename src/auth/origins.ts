// Reads and matches lists of origins.
import { isIPv6 } from 'node:net'

/**
 * Origins are compared as browsers write them: scheme and host in lower case, without the default port [RFC 6454, 6.2].
 */
export class OriginList {
  readonly #everyone: boolean
  readonly #opaque: boolean
  readonly #named = new Set<string>()
  readonly #wildcards: readonly Origin[]

  /** @throws RangeError that names an entry and says what is wrong with it. */
  constructor(list: readonly string[]) {
    const origins = list.filter((entry) => entry !== '*' && entry !== 'null').map(readEntry)
    this.#everyone = list.includes('*')
    this.#opaque = list.includes('null')
    this.#wildcards = origins.filter(isWildcard)
    for (const origin of origins) this.#named.add(textOf(origin))
  }

  /** Whether the list contains an origin, by name or by a wildcard, `*` or `null`. */
  allows(origin: string): boolean {
    return this.#everyone || (this.#opaque && origin === 'null') || this.names(origin)
  }

  /**
   * Whether the list contains an origin by name or as a subdomain. Only such an origin may send credentials: `*` is
   * every page, and `null` is every sandboxed page and local file.
   */
  names(origin: string): boolean {
    const asked = parse(origin)
    if (!asked || isWildcard(asked)) return false
    return this.#named.has(textOf(asked)) || this.#wildcards.some((wildcard) => isBelow(asked, wildcard))
  }
}

/**
 * Reads a list of origins: `*`, `null`, `scheme://host`, `scheme://host:port`, and `scheme://*.example.com` for all
 * subdomains of a name with two labels or more. The scheme may be that of an app, as in `capacitor://localhost`.
 *
 * There is no public suffix list: `https://*.com` is refused because it has one label, but `https://*.co.uk` is
 * accepted.
 * @throws RangeError that names an entry and says what is wrong with it.
 */
export function readOrigins(list: readonly string[]): OriginList {
  return new OriginList(list)
}

interface Origin {
  readonly scheme: string
  /** A name, `*.` and a name, an IPv4 address, or an IPv6 address in brackets. */
  readonly host: string
  /** Empty for the default port of the scheme. */
  readonly port: string
}

const form = /^([a-z][a-z0-9+.-]*):\/\/(\[[^\]]*\]|[^:/?#@[\]]*)(?::(.*))?$/i
const defaultPorts: Readonly<Record<string, string>> = { http: '80', https: '443' }

function parse(text: string): Origin | undefined {
  const [, scheme, host, port = ''] = form.exec(text) ?? []
  if (scheme === undefined || host === undefined) return undefined
  const lower = scheme.toLowerCase()
  return { scheme: lower, host: plainHost(host), port: port === defaultPorts[lower] ? '' : port }
}

/** Normalizes IPv6 addresses, which have many spellings. */
function plainHost(host: string): string {
  return isIPv6(host.slice(1, -1)) ? new URL(`http://${host}`).hostname : host.toLowerCase()
}

function textOf({ scheme, host, port }: Origin): string {
  return `${scheme}://${host}:${port}`
}

function isWildcard({ host }: Origin): boolean {
  return host.startsWith('*.')
}

function isBelow(asked: Origin, wildcard: Origin): boolean {
  const suffix = wildcard.host.slice(1)
  const isSubdomain = asked.host.endsWith(suffix) && asked.host.length > suffix.length
  return isSubdomain && asked.scheme === wildcard.scheme && asked.port === wildcard.port
}

function readEntry(entry: string): Origin {
  const origin = parse(entry)
  const wrong = origin ? wrongWith(origin, entry) : wrongForm(entry)
  if (!origin || wrong !== undefined) throw new RangeError(`${JSON.stringify(entry)} is not an origin: ${wrong}`)
  return origin
}

/** Names the mistake. Many entries are URLs copied from a browser. */
function wrongForm(entry: string): string {
  const rest = /^[a-z][a-z0-9+.-]*:\/\/(.*)$/is.exec(entry)?.[1]
  if (rest === undefined) return 'it must begin with a scheme, as in https://example.com'
  if (rest.includes('?')) return 'it has a query'
  if (rest.includes('#')) return 'it has a fragment'
  if (rest.split('/')[0]?.includes('@')) return 'it names a user'
  if (rest.includes('/')) return rest.indexOf('/') === rest.length - 1 ? 'it ends with a slash' : 'it has a path'
  return 'its host is invalid'
}

function wrongWith({ host, port }: Origin, entry: string): string | undefined {
  if (/[/?#@]/.test(port)) return wrongForm(entry)
  if (entry.endsWith(':') || !isPort(port)) return 'its port is not a number from 1 to 65535'
  if (host.startsWith('[')) return isIPv6(host.slice(1, -1)) ? undefined : 'its host is not an IPv6 address'
  const name = host.startsWith('*.') ? host.slice(2) : host
  if (name.includes('*')) return 'a wildcard can only be the first label, as in https://*.example.com'
  if (!isName(name)) return 'its host is not an ASCII name; use the form that browsers send'
  return name !== host && !canBeWild(name) ? 'the wildcard is too wide; at least two labels must follow it' : undefined
}

function isPort(port: string): boolean {
  return port === '' || (/^[1-9]\d{0,4}$/.test(port) && Number(port) <= 65_535)
}

function isName(name: string): boolean {
  return name.length <= 253 && name.split('.').every((label) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label))
}

/** An IPv4 address has no subdomains. */
function canBeWild(name: string): boolean {
  return name.includes('.') && !/\.\d+$/.test(name)
}
