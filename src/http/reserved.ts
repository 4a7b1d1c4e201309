// Which topics are the hub's own, so that nobody can publish what looks like the hub's word. It knows no dialect.
import { hubPath } from './access-options.ts'

/**
 * Whether a topic, resolved against the hub's address, leads to the hub's path or below, on whatever host
 * [Mercure 1.0, Publication]. What cannot be resolved leads nowhere.
 */
export function isReserved(topic: string, base: string): boolean {
  const path = pathOf(topic, base)
  return path === hubPath || path.startsWith(`${hubPath}/`)
}

/** Whether it leads below, where the hub's own updates are: `#general` is no business of a dialect that does not resolve it. */
export function isBelowHub(topic: string, base: string): boolean {
  return pathOf(topic, base).startsWith(`${hubPath}/`)
}

function pathOf(topic: string, base: string): string {
  if (!URL.canParse(topic, base)) return ''
  const path = decodeUnreserved(new URL(topic, base).pathname)
  // Once more, since what was decoded may be dots that mean the folder itself or the one above.
  return path.startsWith('/') ? new URL(`http://hub${path}`).pathname : path
}

/** Decodes what need not have been encoded [RFC 3986, 6.2.2.2]. */
function decodeUnreserved(path: string): string {
  return path.replace(/%(2[DE]|3\d|4[1-9A-F]|5[0-9AF]|6[1-9A-F]|7[0-9AE])/gi, (triplet) => decodeURIComponent(triplet))
}
