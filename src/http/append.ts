// The last step of publishing, the same at all doors: the application is asked, and the log appends. It answers nobody, but notes
// for the answer that nothing was new.
import type { Grants } from '../auth/grants.ts'
import type { Entry } from '../log/log.ts'
import type { Update } from '../update.ts'
import { askToPublish } from './asking.ts'
import type { Exchange } from './exchange.ts'
import { readIdempotencyKey } from './idempotency-key.ts'
import { checkReserved } from './reserved.ts'

/** Appends all, or none. @throws TidingsError as `checkReserved`, `readIdempotencyKey`, `askToPublish` and `Hub.publishAll` do */
export async function append(exchange: Exchange, grants: Grants, updates: readonly Update[]): Promise<Entry[]> {
  const { access, hub, publishing, request, response } = exchange
  for (const update of updates) checkReserved(update, access.base)
  // Where nothing is remembered, the header means nothing, as to any server that does not know it.
  const key = hub.idempotent > 0 ? readIdempotencyKey(request) : undefined
  await askToPublish(exchange, grants, updates)
  const publish = () => hub.publishAll(updates, { key, publisher: grants.subject })
  const entries = await (publishing ? publishing.append(updates, publish) : publish())
  if (entries.every(({ repeated }) => repeated)) response.setHeader('Idempotent-Replayed', 'true')
  return entries
}
