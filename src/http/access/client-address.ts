// Where a client is: at the other end of the connection, or, where a proxy that is trusted says so, behind it. It looks
// nothing up.
import type { IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'
import { OptionError } from '../../errors.ts'

export interface ProxyOptions {
  /** Addresses and networks, such as `10.0.0.0/8`, whose `X-Forwarded-For` is believed; default none. */
  trustedProxies?: readonly string[]
}

/** Tells the addresses of clients. */
export class ClientAddress {
  readonly #trusted = new BlockList()
  readonly #trustsAny: boolean

  /** @throws OptionError that names the entry that is neither an address nor a network */
  constructor({ trustedProxies = [] }: ProxyOptions) {
    this.#trustsAny = trustedProxies.length > 0
    for (const entry of trustedProxies) this.#trust(entry)
  }

  /** `local` for a socket in the file system. */
  of(request: IncomingMessage): string {
    const near = plain(request.socket.remoteAddress ?? 'local')
    if (!this.#trustsAny || !this.#isTrusted(near)) return near
    const said = String(request.headers['x-forwarded-for'] ?? '')
    const hops = said.split(',').map((hop) => plain(hop.trim()))
    // Each proxy adds whom it was asked by, so that only what trusted ones added, at the end, is worth anything.
    for (const hop of hops.reverse()) {
      if (isIP(hop) === 0) break
      if (!this.#isTrusted(hop)) return hop
    }
    return near
  }

  #isTrusted(address: string): boolean {
    // A socket in the file system is the proxy's where any is trusted.
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

/** An address of IPv4 that a socket of IPv6 shows in its own way. */
function plain(address: string): string {
  return address.startsWith('::ffff:') && isIP(address.slice(7)) === 4 ? address.slice(7) : address
}
