// Verifies what the clients of a fleet received when the log may have started a new epoch: each client has all entries of an
// epoch from its starting point, in order, each once, and a gap event wherever it changed the epoch.
import { expect } from 'vitest'
import type { ResumingClient } from '../http/resuming-client.ts'

/** Fails with the record of the first client that breaks the rules; `acknowledged` maps the published ids to their data. */
export async function expectCompleteHistories(
  clients: readonly ResumingClient[],
  acknowledged: ReadonlyMap<string, string>
): Promise<void> {
  const last = positionOf([...acknowledged.keys()].at(-1) as string).epoch
  const wanted = [...acknowledged.keys()].filter((id) => positionOf(id).epoch === last)
  // Every client must have all entries of the newest epoch.
  const lacking = () =>
    clients.flatMap((client) => {
      const ids = new Set(client.history.map((one) => ('id' in one ? one.id : '')))
      const missing = wanted.filter((id) => !ids.has(id))
      return missing.length === 0 ? [] : [`lacks ${missing.length}, such as ${missing[0]}; ${client.describe()}`]
    })
  await expect.poll(lacking).toEqual([])
  const all = new Map(acknowledged)
  for (const client of clients) {
    expect(breaches(client), 'where a client skipped, went back, or received no gap event').toEqual([])
    for (const one of client.history) {
      if (!('id' in one)) continue
      expect(all.get(one.id) ?? one.data, `the data of ${one.id}`).toBe(one.data)
      all.set(one.id, one.data)
    }
    expect(new Set(client.data).size, 'entries are unique').toBe(client.data.length)
  }
}

/** Steps that are neither the next entry, nor announced by a gap, nor the first entry of an epoch. */
function breaches({ history }: ResumingClient): string[] {
  const found: string[] = []
  let at = { epoch: '', offset: 0 }
  let gapSeen = true
  for (const one of history) {
    if ('gap' in one) {
      gapSeen = one.gap === 'epoch'
      if (!gapSeen) found.push(`unexpected gap ${one.gap} after ${at.epoch}-${at.offset}`)
      continue
    }
    const next = positionOf(one.id)
    const isNext = next.epoch === at.epoch && next.offset === at.offset + 1
    if (!isNext && !(gapSeen && next.offset === 1)) found.push(`${one.id} after ${at.epoch}-${at.offset}`)
    at = next
    gapSeen = false
  }
  return found
}

/** Reads a generated id, `#epoch-offset` with the offset in base 36. */
function positionOf(id: string): { epoch: string; offset: number } {
  const [, epoch = id, offset = '0'] = /^#([0-9a-z]+)-([0-9a-z]+)$/.exec(id) ?? []
  return { epoch, offset: Number.parseInt(offset, 36) }
}
