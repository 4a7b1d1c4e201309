// The key under which limits count a client's address.

/**
 * An IPv4 address as it is, and the /64 network of an IPv6 address: one customer usually has a whole /64, and could
 * otherwise avoid a limit by changing addresses.
 */
export function networkKey(address: string): string {
  if (!address.includes(':')) return address
  const [before = '', after] = address.replace(/%.*/, '').split('::')
  const groups = before === '' ? [] : before.split(':')
  const missing = after === undefined ? 0 : 8 - groups.length - (after === '' ? 0 : after.split(':').length)
  const all = [...groups, ...Array.from({ length: missing }, () => '0'), ...(after ? after.split(':') : [])]
  return `${all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`
}
