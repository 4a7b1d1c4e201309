// Where a request goes: the path, the query and the host of its target [RFC 9112, 3.2]. It knows no endpoint.
import type { IncomingMessage, ServerResponse } from 'node:http'

export interface Target {
  /** As it was sent, percent-encoding and all; `*` where a client asks about the whole server. */
  readonly path: string
  readonly query: string
  /** The host and port, where the target is in absolute form, as proxies may send it. */
  readonly authority: string | undefined
}

export function targetOf({ url = '/' }: IncomingMessage): Target {
  const [, authority] = /^https?:\/\/([^/?#]*)/i.exec(url) ?? []
  const local = authority === undefined ? url : url.slice(url.indexOf('//') + 2 + authority.length)
  const mark = local.indexOf('?')
  const [path, query] = mark === -1 ? [local, ''] : [local.slice(0, mark), local.slice(mark + 1)]
  return { path: path || '/', query, authority }
}

/** The host that a request is for: an absolute target goes before the header; HTTP/2 has an authority [RFC 9113, 8.3.1]. */
export function hostOf(request: IncomingMessage & { readonly authority?: string }): string | undefined {
  return targetOf(request).authority ?? request.headers.host ?? request.authority
}

const defaultPorts = { 'http:': '80', 'https:': '443' }

/** A host, with its port, as hosts are compared: in lower case, and without the dot that may end a full name. */
export function plainHost(host: string): string {
  return host.toLowerCase().replace(/^([^:[\]]+)\.(:\d+)?$/, '$1$2')
}

/** How the host of a web address may be written: the port that goes with the scheme is there or not [RFC 9110, 4.2.3]. */
export function hostsOf({ protocol, host, hostname, port }: URL): readonly string[] {
  const usual = defaultPorts[protocol as keyof typeof defaultPorts]
  return port === '' && usual ? [plainHost(host), plainHost(`${hostname}:${usual}`)] : [plainHost(host)]
}

/** Of several hosts, this server and a proxy before it could each go by another one. Node keeps the first. */
export function hasSeveralHosts({ rawHeaders }: IncomingMessage): boolean {
  return rawHeaders.filter((text, at) => at % 2 === 0 && text.toLowerCase() === 'host').length > 1
}

export const severalHosts = 'it has more than one Host header'

/** Answers `OPTIONS *`, which asks about the server rather than a path [RFC 9110, 9.3.7], and says whether it was asked. */
export function answerOptions(request: IncomingMessage, response: ServerResponse, methods: readonly string[]): boolean {
  if (request.method !== 'OPTIONS' || targetOf(request).path !== '*') return false
  response.writeHead(204, { Allow: methods.join(', ') }).end()
  return true
}
