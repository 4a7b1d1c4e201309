// One form for each client address, so that addresses from sockets, proxies and operators can be compared.
import { isIP } from 'node:net'

/** The address of a Unix socket. */
export const localAddress = 'local'

/** IPv4 as it is, also inside IPv6, and IPv6 as the URL standard writes it. Undefined for text that is no address. */
export function normalAddress(text: string): string | undefined {
  const version = isIP(text)
  if (version === 4 || text === localAddress) return text
  if (version !== 6) return undefined
  // A URL has no zone, and the zone of a link-local address is part of what identifies the client.
  const [address, zone] = text.split('%')
  const normal = new URL(`http://[${address}]`).hostname.slice(1, -1)
  return mapped(normal) ?? (zone === undefined ? normal : `${normal}%${zone}`)
}

/** The IPv4 address in an IPv6 address [RFC 4291, 2.5.5.2]. */
function mapped(address: string): string | undefined {
  const [, high, low] = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(address) ?? []
  if (high === undefined || low === undefined) return undefined
  return [high, low].flatMap((half) => [Number.parseInt(half, 16) >> 8, Number.parseInt(half, 16) & 255]).join('.')
}

/** The normal form of a client's address, which may have a port; other text as it is. */
export function clientAddressOf(text: string): string {
  const [, bracketed] = /^\[(.*)\](?::\d+)?$/.exec(text) ?? []
  const [, host = text] = bracketed === undefined ? (/^([^:]*):\d+$/.exec(text) ?? []) : [text, bracketed]
  return normalAddress(host) ?? host
}
