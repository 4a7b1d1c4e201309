// The last step of publishing, which all endpoints share: reserved topics, validation, the application's decision, and the append.
import type { Grants } from '../auth/grants.ts'
import type { Entry } from '../log/log.ts'
import { type Update, type ValidUpdate, validate } from '../update.ts'
import { authorizePublish } from './access/authorize.ts'
import { checkReserved } from './access/reserved.ts'
import { readIdempotencyKey } from './idempotency-key.ts'
import type { RequestContext } from './request-context.ts'

/** Updates from a request: some readers validate each update, to name the one that is wrong. */
export type ReadUpdates =
  | { readonly isValidated: true; readonly updates: readonly ValidUpdate[] }
  | { readonly isValidated: false; readonly updates: readonly Update[] }

/**
 * Appends all updates, or none.
 * @throws TidingsError as `checkReserved`, `readIdempotencyKey`, `validate`, `authorizePublish` and `Hub.publishValid` do
 */
export async function append(ctx: RequestContext, grants: Grants, read: ReadUpdates): Promise<Entry[]> {
  const { access, hub, span, request, response } = ctx
  for (const update of read.updates) checkReserved(update, access.base)
  // Without `--idempotent` the header is ignored, as by any server that does not know it.
  const key = hub.idempotent > 0 ? readIdempotencyKey(request) : undefined
  const updates = read.isValidated ? read.updates : read.updates.map(validate)
  await authorizePublish(ctx, grants, updates)
  const publish = () => hub.publishValid(updates, { key, publisher: grants.subject })
  const entries = await (span ? span.append(updates, publish) : publish())
  if (entries.every(({ repeated }) => repeated)) response.setHeader('Idempotent-Replayed', 'true')
  return entries
}
