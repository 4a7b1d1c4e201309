// Protects against pages of other sites that use a browser to send requests to this server (CSRF, DNS rebinding). It
// checks the headers that browsers send. Clients that are not browsers pass.

import type { OriginList } from '../../auth/origins.ts'
import { TidingsError } from '../../errors.ts'
import type { HttpRequest } from '../exchange.ts'
import { hostOf, hostsOf, plainHost } from '../target.ts'

const loopbackName = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i

/**
 * For a server that only this machine may use: the `Host` must be `localhost` or a loopback address. Otherwise a page
 * could point its own domain to this machine and read the responses as same-origin (DNS rebinding).
 * @throws TidingsError `host_refused`
 */
export function requireLocalName(request: HttpRequest): void {
  const host = hostOf(request)
  if (host === undefined || loopbackName.test(plainHost(host))) return
  throw new TidingsError('host_refused', 'use 127.0.0.1 or localhost in the URL, or start the server with --open')
}

/**
 * Whether a page of another site sent a request. A page can send a simple POST to any server without a preflight, and
 * the browser adds the page's origin.
 */
export function isCrossSite(request: HttpRequest, allowed: OriginList | undefined): boolean {
  const { origin } = request.headers
  if (origin === undefined) return request.headers['sec-fetch-site'] === 'cross-site'
  return !isOwn(origin, request) && !allowed?.allows(origin)
}

/** Publishing with a cookie requires an allowed `Origin`. Older browsers omit it and send `Referer`. */
export function hasAllowedOrigin(request: HttpRequest, allowed: OriginList | undefined): boolean {
  const origin = request.headers.origin ?? originOf(request.headers.referer)
  return origin !== undefined && (isOwn(origin, request) || allowed?.allows(origin) === true)
}

function originOf(address: string | undefined): string | undefined {
  return address !== undefined && URL.canParse(address) ? new URL(address).origin : undefined
}

/** Whether an origin has the host of the request. The scheme is not compared, because a proxy may terminate TLS. */
function isOwn(origin: string, request: HttpRequest): boolean {
  const isWeb = /^https?:\/\/[^/]+$/.test(origin) && URL.canParse(origin)
  return isWeb && hostsOf(new URL(origin)).includes(plainHost(hostOf(request) ?? ''))
}
