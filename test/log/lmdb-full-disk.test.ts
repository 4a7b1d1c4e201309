// LmdbLog on a full disk: it rejects appends that do not fit, keeps its entries, and still removes entries by its
// retention rules.
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { LmdbLog } from '../../dist/index.js'
import { fillDisk, keptIn, many, noSmallDisk, openLog, smallDisk, update } from '../support/log/log-folder.ts'
import { isSoak } from '../support/random.ts'

const obstacle = noSmallDisk()
describe.skipIf(obstacle)(`LmdbLog on a full disk${obstacle ? ` (skipped: ${obstacle})` : ''}`, () => {
  const small = () => many(500, { data: 'x'.repeat(100) })
  const large = () => Array.from({ length: 40 }, () => update('x'.repeat(10_000)))

  /** Appends until an append is rejected, and returns the error. */
  async function fill(log: LmdbLog, batch = large): Promise<unknown> {
    for (;;) {
      const failed = await log.append(batch()).then(
        () => undefined,
        (error: unknown) => error
      )
      if (failed) return failed
    }
  }

  it('rejects appends with storage_full, keeps its entries, and accepts appends when space is free again', async () => {
    const path = smallDisk(8)
    const filler = join(path, 'filler')
    writeFileSync(filler, Buffer.alloc(3 * 2 ** 20))
    const log = await openLog({ path })
    const delivered: number[] = []
    await log.follow((entries) => void delivered.push(...entries.map((entry) => entry.offset)))
    expect(await fill(log)).toMatchObject({ code: 'storage_full', status: 507 })
    await expect(log.append(large())).rejects.toMatchObject({ code: 'storage_full' })
    const { head } = log
    expect((await keptIn(log)).length).toBe(head)
    rmSync(filler)
    const [entry] = await log.append(large())
    expect(entry?.offset).toBe(head + 1)
    expect((await keptIn(log)).length).toBe(head + 40)
    expect(delivered).toEqual(Array.from({ length: head + 40 }, (_, at) => at + 1))
  })

  it('has lost nothing after it is reopened', async () => {
    const path = smallDisk(8)
    const log = await openLog({ path })
    await fill(log)
    const before = await keptIn(log)
    await log.close()
    expect(await keptIn(await openLog({ path }))).toEqual(before)
  })

  it('removes expired entries, also when nothing is published', async () => {
    let now = 1_000_000
    const log = await openLog({ path: smallDisk(8), retention: [{ match: '*', age: 60_000 }], now: () => now })
    await fill(log, small)
    now += 60_001
    await expect.poll(() => log.first).toBe(log.head + 1)
    await log.append(large())
  })

  it('accepts the same amount again after entries expire, repeatedly', async () => {
    let now = 1_000_000
    const log = await openLog({ path: smallDisk(8), retention: [{ match: '*', age: 60_000 }], now: () => now })
    for (let time = 0; time < (isSoak ? 16 : 6); time++) {
      const { head } = log
      expect(await fill(log, time % 2 ? large : small)).toMatchObject({ code: 'storage_full' })
      expect(log.head).toBeGreaterThan(head + 100)
      now += 60_001
      await log.append([update('one')])
    }
  })

  it('opens with stricter retention rules, and applies them', async () => {
    const path = smallDisk(8)
    const log = await openLog({ path })
    await fill(log, small)
    const { head } = log
    await log.close()
    fillDisk(path, join(path, 'filler'))
    const again = await openLog({ path, retention: [{ match: '*', last: 100 }] })
    // Reading all entries at each poll would be most of the work of the process.
    await expect.poll(() => again.head - again.first).toBe(99)
    expect(await keptIn(again)).toHaveLength(100)
    expect((await again.append(large()))[0]?.offset).toBe(head + 1)
  })

  it('applies changed rules while it is open', async () => {
    const log = await openLog({ path: smallDisk(8) })
    await fill(log, small)
    await log.retain([{ match: '*', entries: 100 }])
    await expect.poll(() => log.head - log.first).toBe(99)
    await log.append(large())
  })

  it('accepts appends as soon as space is free, when it was opened without free space', async () => {
    const path = smallDisk(8)
    const filler = join(path, 'filler')
    const log = await openLog({ path })
    await log.append(small())
    await log.close()
    fillDisk(path, filler)
    const again = await openLog({ path, retention: [{ match: '*', entries: 100 }] })
    await expect(again.append(large())).rejects.toMatchObject({ code: 'storage_full' })
    rmSync(filler)
    await again.append(large())
    await expect.poll(() => again.head - again.first).toBe(99)
  })
})
