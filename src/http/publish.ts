// The last steps of publishing, shared by all endpoints: reserved topics, the idempotency key, validation, the
// application's decision, and the append.

import type { Grants } from '../auth/grants.ts'
import { TidingsError } from '../errors.ts'
import type { Entry } from '../log/log.ts'
import { type Update, type ValidUpdate, validate } from '../update.ts'
import { authorizePublish } from './access/authorize.ts'
import type { HttpRequest } from './exchange.ts'
import type { RequestContext } from './request-context.ts'
import { addHeader } from './response.ts'

/** The updates of a request. A batch is validated while it is read, so that an error can name the line. */
export type ReadUpdates =
  | { readonly isValidated: true; readonly updates: readonly ValidUpdate[] }
  | { readonly isValidated: false; readonly updates: readonly Update[] }

/**
 * Appends all updates, or none.
 * @throws TidingsError `key_invalid`, or as `ReservedTopics.check`, `validate`, `authorizePublish` and `Hub.publishValid` do
 */
export async function append(ctx: RequestContext, grants: Grants, read: ReadUpdates): Promise<Entry[]> {
  const { access, hub, span, request, response } = ctx
  for (const update of read.updates) access.reserved.check(update)
  // Without `--idempotent` the header is ignored, as by a server that does not support it.
  const key = hub.idempotent > 0 ? readIdempotencyKey(request) : undefined
  const updates = read.isValidated ? read.updates : read.updates.map(validate)
  await authorizePublish(ctx, grants, updates)
  const publish = () => hub.publishValid(updates, { key, publisher: grants.subject })
  const entries = await (span ? span.append(updates, publish) : publish())
  if (entries.every(({ repeated }) => repeated)) addHeader(response, 'Idempotent-Replayed', 'true')
  return entries
}

/** A string of structured fields [RFC 9651, 3.3.3]. A backslash escapes a quote or a backslash. */
const quoted = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/
/**
 * A key without quotes, as many clients send it. A comma is refused, because Node joins repeated headers with commas.
 */
const bare = /^[\x21\x23-\x2b\x2d-\x7e]+$/

/** Reads `Idempotency-Key` [draft-ietf-httpapi-idempotency-key-header]. */
function readIdempotencyKey({ headers }: HttpRequest): string | undefined {
  const header = headers['idempotency-key']
  if (header === undefined) return undefined
  const text = String(header).trim()
  const [, inner] = quoted.exec(text) ?? []
  if (inner !== undefined) return inner.replace(/\\(.)/g, '$1')
  if (bare.test(text)) return text
  throw new TidingsError('key_invalid', 'send one header with ASCII characters in quotes, such as "8e03978e"')
}
