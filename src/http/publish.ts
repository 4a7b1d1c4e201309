// The last step of publishing, the same at all doors: the application is asked, and the log appends. It answers nobody, but notes
// for the answer that nothing was new.
import type { Grants } from '../auth/grants.ts'
import type { Entry } from '../log/log.ts'
import type { Update } from '../update.ts'
import { authorizePublish } from './access/authorize.ts'
import { checkReserved } from './access/reserved.ts'
import { readIdempotencyKey } from './idempotency-key.ts'
import type { RequestContext } from './request-context.ts'

/** Appends all, or none. @throws TidingsError as `checkReserved`, `readIdempotencyKey`, `askToPublish` and `Hub.publishAll` do */
export async function append(ctx: RequestContext, grants: Grants, updates: readonly Update[]): Promise<Entry[]> {
  const { access, hub, span, request, response } = ctx
  for (const update of updates) checkReserved(update, access.base)
  // Where nothing is remembered, the header means nothing, as to any server that does not know it.
  const key = hub.idempotent > 0 ? readIdempotencyKey(request) : undefined
  await authorizePublish(ctx, grants, updates)
  const publish = () => hub.publishAll(updates, { key, publisher: grants.subject })
  const entries = await (span ? span.append(updates, publish) : publish())
  if (entries.every(({ repeated }) => repeated)) response.setHeader('Idempotent-Replayed', 'true')
  return entries
}
