// Percent-encoding of the variables in a subscription's path [RFC 6570, 3.2.2].
import { TidingsError } from '../../errors.ts'

/** Encodes everything except unreserved characters. `encodeURIComponent` leaves five more characters as they are. */
export function encodeVariable(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`)
}

/** @throws TidingsError `path_invalid` for text that is not percent-encoded UTF-8 */
export function decodeVariable(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new TidingsError('path_invalid', 'a percent-encoded part of the path is not UTF-8')
  }
}

/**
 * Refuses a path with more segments. The token's grants are checked against the whole path, and further segments such
 * as `..` can make it match other grants.
 * @throws TidingsError `not_found`
 */
export function requireAtMost(count: number, segments: readonly string[]): readonly string[] {
  if (segments.length <= count) return segments
  throw new TidingsError('not_found', 'the path has more segments than that of a subscription')
}
