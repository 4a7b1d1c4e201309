// Finds the address of a client: that of its connection, or the one that a trusted proxy reports.

import { BlockList, isIP } from 'node:net'
import { OptionError } from '../../errors.ts'
import type { HttpRequest } from '../exchange.ts'

export interface ProxyOptions {
  /**
   * Addresses and networks of proxies, such as `10.0.0.0/8`, whose header `X-Forwarded-For` is used; default none. A
   * connection through a Unix socket counts as trusted if any proxy is.
   */
  trustedProxies?: readonly string[]
}

/** Finds the addresses of clients. */
export class ClientAddress {
  readonly #trusted = new BlockList()
  readonly #trustsAny: boolean

  /** @throws OptionError that names the entry that is neither an address nor a network */
  constructor({ trustedProxies = [] }: ProxyOptions) {
    this.#trustsAny = trustedProxies.length > 0
    for (const entry of trustedProxies) this.#trust(entry)
  }

  /** `local` for a Unix socket. */
  of(request: HttpRequest): string {
    const near = plain(request.socket.remoteAddress ?? 'local')
    if (!this.#trustsAny || !this.#isTrusted(near)) return near
    const said = String(request.headers['x-forwarded-for'] ?? '')
    const hops = said.split(',').map((hop) => plain(hop.trim()))
    // Each proxy appends the address of its client. So only the last entries, from trusted proxies, are reliable.
    for (const hop of hops.reverse()) {
      if (isIP(hop) === 0) break
      if (!this.#isTrusted(hop)) return hop
    }
    return near
  }

  #isTrusted(address: string): boolean {
    // A Unix socket is taken for that of the proxy.
    if (address === 'local') return true
    return this.#trusted.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
  }

  #trust(entry: string): void {
    const [address = '', prefix] = entry.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    const bits = prefix === undefined ? undefined : Number(prefix)
    const isNetwork =
      bits === undefined || (/^\d{1,3}$/.test(prefix as string) && bits <= (family === 'ipv6' ? 128 : 32))
    if (isIP(address) === 0 || !isNetwork) {
      throw new OptionError(
        'trustedProxies',
        `expected an address or a network such as 10.0.0.0/8, got ${JSON.stringify(entry)}`
      )
    }
    if (bits === undefined) this.#trusted.addAddress(address, family)
    else this.#trusted.addSubnet(address, bits, family)
  }
}

/** Removes the prefix of an IPv4 address on an IPv6 socket [RFC 4291, 2.5.5.2]. */
function plain(address: string): string {
  return address.startsWith('::ffff:') && isIP(address.slice(7)) === 4 ? address.slice(7) : address
}
