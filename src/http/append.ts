// The last step of publishing, the same at all doors: the application is asked, and the log appends. It answers nobody.
import type { Grants } from '../auth/grants.ts'
import type { Entry } from '../log/log.ts'
import type { Update } from '../update.ts'
import { askToPublish } from './asking.ts'
import type { Exchange } from './exchange.ts'

/** Appends all, or none. @throws TidingsError as `askToPublish` and `Hub.publishAll` do */
export async function append(exchange: Exchange, grants: Grants, updates: readonly Update[]): Promise<Entry[]> {
  const { hub, publishing } = exchange
  await askToPublish(exchange, grants, updates)
  return publishing ? publishing.append(updates, () => hub.publishAll(updates)) : hub.publishAll(updates)
}
