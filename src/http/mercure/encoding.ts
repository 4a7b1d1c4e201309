// The segments of a path, and the percent-encoding of one [RFC 6570, 3.2.2]. It knows no path.
import { TidingsError } from '../../errors.ts'

/** Everything but unreserved characters is encoded, once. */
export function encodeVariable(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`)
}

/** @throws TidingsError `path_invalid` where it is not percent-encoded UTF-8. */
export function decodeVariable(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new TidingsError('path_invalid', 'a percent-encoded part is no UTF-8')
  }
}

/**
 * What is named by a part of a path alone would be authorised by the whole of it, and dots can lead that elsewhere.
 * @throws TidingsError `not_found` where the path is longer than what it names.
 */
export function requireAtMost(count: number, segments: readonly string[]): readonly string[] {
  if (segments.length <= count) return segments
  throw new TidingsError('not_found', 'the path has more segments than a subscription')
}
