// Keeps pages of other sites, open in a browser that can reach this server, from using it behind their reader's back. It
// knows the headers that browsers send, and lets everything else pass.
import type { IncomingMessage } from 'node:http'
import { TidingsError } from '../errors.ts'

const loopbackName = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i

/**
 * For a server that only this machine is to use: a name that leads here and is not one of this machine's own was made to
 * lead here, by a page that wants to read us as if we were its own site (DNS rebinding).
 * @throws TidingsError `host_refused`
 */
export function requireLocalName({ headers: { host } }: IncomingMessage): void {
  if (host === undefined || loopbackName.test(host)) return
  throw new TidingsError('host_refused', 'ask for 127.0.0.1 or localhost, or start it with --open if others may use it')
}

/**
 * A page can send a publish to any address without asking; the browser then says whose page it was.
 * @throws TidingsError `origin_refused`
 */
export function requireOwnOrigin({ headers }: IncomingMessage): void {
  const { origin, host } = headers
  const isForeign = origin === undefined ? headers['sec-fetch-site'] === 'cross-site' : hostOf(origin) !== host
  if (isForeign)
    throw new TidingsError('origin_refused', "publish from this server's own pages, or from outside a browser")
}

function hostOf(origin: string): string | undefined {
  return /^https?:\/\/([^/]+)$/.exec(origin)?.[1]
}
