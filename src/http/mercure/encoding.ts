// Percent-encoding of one variable in a path [RFC 6570, 3.2.2]. It knows no path.
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
