// Which topics are the hub's own, so that nobody can publish what looks like the hub's word. It knows no dialect.
import { hubPath } from './access-options.ts'

/**
 * Whether a topic, resolved against the hub's address, leads to the hub's path or below, on whatever host
 * [Mercure 1.0, Publication]. What cannot be resolved leads nowhere.
 */
export function isReserved(topic: string, base: string): boolean {
  if (!URL.canParse(topic, base)) return false
  const path = decodeUnreserved(new URL(topic, base).pathname)
  // Once more, since what was decoded may be dots that mean the folder itself or the one above.
  const settled = path.startsWith('/') ? new URL(`http://hub${path}`).pathname : path
  return settled === hubPath || settled.startsWith(`${hubPath}/`)
}

/** Decodes what need not have been encoded [RFC 3986, 6.2.2.2]. */
function decodeUnreserved(path: string): string {
  return path.replace(/%(2[DE]|3\d|4[1-9A-F]|5[0-9AF]|6[1-9A-F]|7[0-9AE])/gi, (triplet) => decodeURIComponent(triplet))
}
