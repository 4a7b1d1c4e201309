// Keeps pages of other sites, open in a browser that can reach this server, from using it behind their reader's back. It
// knows the headers that browsers send, and lets everything else pass.
import type { IncomingMessage } from 'node:http'
import type { OriginList } from '../../auth/origins.ts'
import { TidingsError } from '../../errors.ts'
import { hostOf, hostsOf, plainHost } from '../target.ts'

const loopbackName = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i

/**
 * For a server that only this machine is to use: a name that leads here and is not one of this machine's own was made to
 * lead here, by a page that wants to read us as if we were its own site (DNS rebinding).
 * @throws TidingsError `host_refused`
 */
export function requireLocalName(request: IncomingMessage): void {
  const host = hostOf(request)
  if (host === undefined || loopbackName.test(plainHost(host))) return
  throw new TidingsError('host_refused', 'ask for 127.0.0.1 or localhost, or start it with --open if others may use it')
}

/**
 * Whether a page of another site is behind a request. A page can send a publish to any address without asking; the browser
 * then says whose page it was.
 */
export function isCrossSite(request: IncomingMessage, allowed: OriginList | undefined): boolean {
  const { origin } = request.headers
  if (origin === undefined) return request.headers['sec-fetch-site'] === 'cross-site'
  return !isOwn(origin, request) && !allowed?.allows(origin)
}

/**
 * For a publish that nothing but a cookie speaks for: the browser has to say that the page is one of ours. Older browsers
 * leave `Origin` out and say it in `Referer`.
 */
export function hasAllowedOrigin(request: IncomingMessage, allowed: OriginList | undefined): boolean {
  const origin = request.headers.origin ?? originOf(request.headers.referer)
  return origin !== undefined && (isOwn(origin, request) || allowed?.allows(origin) === true)
}

function originOf(address: string | undefined): string | undefined {
  return address !== undefined && URL.canParse(address) ? new URL(address).origin : undefined
}

/** Whether an origin is the one that the request itself is for, as far as a host can tell. */
function isOwn(origin: string, request: IncomingMessage): boolean {
  const isWeb = /^https?:\/\/[^/]+$/.test(origin) && URL.canParse(origin)
  return isWeb && hostsOf(new URL(origin)).includes(plainHost(hostOf(request) ?? ''))
}
