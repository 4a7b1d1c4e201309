// Reads and writes the addresses that a server listens on.
import type { AddressInfo } from 'node:net'
import { withOptionName } from '../errors.ts'

/** Where to listen: a host and a port, or the path of a Unix socket. */
export type Address = { readonly host: string; readonly port: number } | { readonly path: string }

/** @throws RangeError that shows what an address looks like */
export function readAddress(text: string): { readonly host: string; readonly port: number } {
  const form = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text)
  const port = Number(form?.[3])
  if (form && port <= 65_535) return { host: (form[1] ?? form[2]) as string, port }
  throw new RangeError(
    `expected an address such as 127.0.0.1:5000, [::1]:5000 or unix:/run/tidings.sock, got ${JSON.stringify(text)}`
  )
}

/** @throws RangeError for what is not a host name or an address, such as a URL */
export function readHost(text: string): string {
  if (/^[^\s:/[\]]+$/.test(text) || /^[0-9A-Fa-f:.]+(%\w+)?$/.test(text)) return text
  throw new RangeError(`expected a host name or an address such as 127.0.0.1 or ::1, got ${JSON.stringify(text)}`)
}

/** @throws OptionError for an address of `listen` that cannot be used */
export function addressesOf({
  host,
  port,
  listen
}: {
  host: string
  port: number
  listen: readonly string[]
}): Address[] {
  if (listen.length === 0) return [{ host, port }]
  return withOptionName('listen', () =>
    listen.map((text) => (text.startsWith('unix:') ? { path: text.slice('unix:'.length) } : readAddress(text)))
  )
}

/** The URL that a client would use. */
export function urlOf(address: Address, bound: AddressInfo | string | null, isSecure: boolean): string {
  if ('path' in address) return `unix:${address.path}`
  const port = typeof bound === 'object' && bound ? bound.port : address.port
  const host = address.host.includes(':') ? `[${address.host}]` : address.host
  return `${isSecure ? 'https' : 'http'}://${host}:${port}`
}
