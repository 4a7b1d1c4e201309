// Looks at what the clients of a fleet have seen, where the log may have begun anew: each has everything of an epoch from where it
// came to it, in order, each once, and was told wherever it left one for another.
import { expect } from 'vitest'
import { parseId } from '../../dist/log/ids.js'
import type { ResumingClient } from './resuming-client.js'

/** Fails with what the first client to break the rules has seen; `acknowledged` has what publishers were told, by id. */
export async function expectCompleteHistories(
  clients: readonly ResumingClient[],
  acknowledged: ReadonlyMap<string, string>
): Promise<void> {
  const last = placeOf([...acknowledged.keys()].at(-1) as string).epoch
  const wanted = [...acknowledged.keys()].filter((id) => placeOf(id).epoch === last)
  // What the newest epoch has, everyone has to have.
  const lacking = () =>
    clients.flatMap((client) => {
      const ids = new Set(client.history.map((one) => ('id' in one ? one.id : '')))
      const missing = wanted.filter((id) => !ids.has(id))
      return missing.length === 0 ? [] : [`lacks ${missing.length}, such as ${missing[0]}; ${client.describe()}`]
    })
  await expect.poll(lacking, { timeout: 30_000 }).toEqual([])
  const all = new Map(acknowledged)
  for (const client of clients) {
    expect(breaches(client), 'where a client skipped, went back, or was not told').toEqual([])
    for (const one of client.history) {
      if (!('id' in one)) continue
      expect(all.get(one.id) ?? one.data, `what is ${one.id}`).toBe(one.data)
      all.set(one.id, one.data)
    }
    expect(new Set(client.data).size, 'each once').toBe(client.data.length)
  }
}

/** Each step that is neither to the next entry nor told of, nor into an epoch at its beginning. */
function breaches({ history }: ResumingClient): string[] {
  const found: string[] = []
  let at = { epoch: '', offset: 0 }
  let told = true
  for (const one of history) {
    if ('gap' in one) {
      told = one.gap === 'epoch'
      if (!told) found.push(`was told of ${one.gap} after ${at.epoch}-${at.offset}`)
      continue
    }
    const next = placeOf(one.id)
    const isNext = next.epoch === at.epoch && next.offset === at.offset + 1
    if (!isNext && !(told && next.offset === 1)) found.push(`${one.id} after ${at.epoch}-${at.offset}`)
    at = next
    told = false
  }
  return found
}

function placeOf(id: string): { epoch: string; offset: number } {
  return parseId(id) ?? { epoch: id, offset: 0 }
}
