// Reads the header by which a publisher says that a request is the same as an earlier one [draft-ietf-httpapi-idempotency-key-header].
// It remembers no key, and does not know whose it is.
import type { IncomingMessage } from 'node:http'
import { TidingsError } from '../errors.ts'

/** A string as structured fields have it [RFC 9651, 3.3.3], where a quote or a backslash stands behind a backslash. */
const quoted = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/
/** As many send it. A comma would hide that the header came twice. */
const bare = /^[\x21\x23-\x2b\x2d-\x7e]+$/

/** @throws TidingsError `key_invalid` */
export function readIdempotencyKey({ headers }: IncomingMessage): string | undefined {
  const header = headers['idempotency-key']
  if (header === undefined) return undefined
  const text = String(header).trim()
  const [, inner] = quoted.exec(text) ?? []
  if (inner !== undefined) return inner.replace(/\\(.)/g, '$1')
  if (bare.test(text)) return text
  throw new TidingsError('key_invalid', 'send one text of ASCII in quotes, such as "8e03978e"')
}
