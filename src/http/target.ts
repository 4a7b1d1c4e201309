// The target of a request: its path, query and host [RFC 9112, 3.2].
import { TidingsError } from '../errors.ts'
import type { HttpRequest, HttpResponse } from './exchange.ts'
import { writeHead } from './response.ts'

export interface Target {
  /** Percent-encoded as sent; `*` in `OPTIONS *`. */
  readonly path: string
  readonly query: string
  /** Host and port of a target in absolute form, which proxies may send. */
  readonly authority: string | undefined
}

export function targetOf({ url = '/' }: HttpRequest): Target {
  return parseTarget(url)
}

export function parseTarget(url: string): Target {
  // Nearly every target begins with a slash.
  const [, authority] = url.startsWith('/') ? [] : (/^https?:\/\/([^/?#]*)/i.exec(url) ?? [])
  const local = authority === undefined ? url : url.slice(url.indexOf('//') + 2 + authority.length)
  const mark = local.indexOf('?')
  const [path, query] = mark === -1 ? [local, ''] : [local.slice(0, mark), local.slice(mark + 1)]
  return { path: path || '/', query, authority }
}

/**
 * The host of a request. An absolute target takes precedence over `Host`. HTTP/2 has `:authority` [RFC 9113, 8.3.1].
 */
export function hostOf(request: HttpRequest & { readonly authority?: string }): string | undefined {
  return targetOf(request).authority ?? request.headers.host ?? request.authority
}

const defaultPorts = { 'http:': '80', 'https:': '443' }

/** Normalizes a host with its port for comparison: lower case, without the dot at the end of a full name. */
export function plainHost(host: string): string {
  return host.toLowerCase().replace(/^([^:[\]]+)\.(:\d+)?$/, '$1$2')
}

/** The spellings of a URL's host. The default port of the scheme may be present or absent [RFC 9110, 4.2.3]. */
export function hostsOf({ protocol, host, hostname, port }: URL): readonly string[] {
  const usual = defaultPorts[protocol as keyof typeof defaultPorts]
  return port === '' && usual ? [plainHost(host), plainHost(`${hostname}:${usual}`)] : [plainHost(host)]
}

/**
 * The error of a request whose host is ambiguous: with several `Host` headers, of which Node keeps the first, or on HTTP/2 with
 * another `Host` than `:authority` [RFC 9113, 8.3.1]. A proxy in front may have used the other one.
 */
export function hostError(request: HttpRequest): TidingsError | undefined {
  if (hasSeveralHosts(request)) return new TidingsError('request_malformed', 'it has more than one Host header')
  const { host, ':authority': authority, ':scheme': scheme } = request.headers
  if (host === undefined || typeof authority !== 'string') return undefined
  const protocol = scheme === 'http' ? 'http:' : 'https:'
  if (withoutDefaultPort(host, protocol) === withoutDefaultPort(authority, protocol)) return undefined
  return new TidingsError('request_malformed', 'its Host header differs from :authority')
}

function withoutDefaultPort(host: string, protocol: keyof typeof defaultPorts): string {
  const plain = plainHost(host)
  const port = `:${defaultPorts[protocol]}`
  return plain.endsWith(port) ? plain.slice(0, -port.length) : plain
}

function hasSeveralHosts({ rawHeaders }: HttpRequest): boolean {
  let hosts = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++
  }
  return hosts > 1
}

/** Answers `OPTIONS *`, which concerns the whole server [RFC 9110, 9.3.7]. Returns whether it did. */
export function answerOptions(request: HttpRequest, response: HttpResponse, methods: readonly string[]): boolean {
  if (request.method !== 'OPTIONS' || targetOf(request).path !== '*') return false
  writeHead(response, 204, { Allow: methods.join(', ') }).end()
  return true
}
