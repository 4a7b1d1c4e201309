// A backup of a folder: the same history in another epoch, and nothing at all when it cannot be complete.
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { LmdbLog } from '../../dist/index.js'
import { backUp } from '../../dist/log/lmdb/files/backup.js'
import {
  dataOf,
  keptIn,
  many,
  newFolder,
  noSmallDisk,
  oldFolder,
  only,
  openLog,
  readAll,
  smallDisk,
  startWriter,
  update
} from '../support/log/log-folder.ts'

const newTarget = () => join(newFolder(), 'backup')

async function closedLog(count = 300): Promise<string> {
  const path = newFolder()
  const log = await openLog({ path })
  await log.append(many(count))
  await log.close()
  return path
}

describe('a backup', () => {
  it('has the entries, ends, deletions and keys of the original, and other positions', async () => {
    const path = newFolder()
    const retention = [{ match: 'short', last: 2 }]
    const log = await openLog({ path, retention })
    await log.append(many(10))
    await log.append(many(5, { topics: ['short'] }))
    await log.append([update('mine', { id: 'mine', topics: ['u'] })])
    await log.append([update('bye', { topics: ['done'], end: true })])
    const dedup = { keys: [{ key: 'k', fingerprint: 'f' }], ttlMs: 3_600_000 }
    const [keyed] = await log.append([update('keyed')], dedup)
    const deletion = { epoch: log.epoch, topics: ['t'], from: 1, through: 3 }
    await log.delete(deletion, update('deleted', { topics: ['t'] }))
    const [kept, { head, epoch }] = [await readAll(log), log]
    await log.close()

    const target = newTarget()
    const { entries, lastEventId, bytes } = await backUp(path, target)
    expect(readdirSync(target)).toEqual(['data.mdb'])
    expect(bytes).toBe(statSync(join(target, 'data.mdb')).size)
    const copy = await openLog({ path: target, retention })
    expect(lastEventId).toBe(`#${copy.epoch}-${head.toString(36)}`)
    expect(copy.epoch).not.toBe(epoch)
    const copied = await readAll(copy)
    expect(entries).toBe(copied.entries.length)
    expect(copied.lost).toBe(kept.lost)
    expect(copied.entries.map(({ offset, update }) => [offset, update])).toEqual(
      kept.entries.map(({ offset, update }) => [offset, update])
    )
    expect(dataOf((await readAll(copy, { filter: only('short') })).entries)).toEqual(['4', '5'])
    expect((await copy.ends(['done', 't'])).map((end) => end?.update.data)).toEqual(['bye', undefined])
    expect(await copy.locate('mine')).toBe(16)
    expect(await copy.locate(`#${epoch}-5`)).toBeUndefined()
    const [again] = await copy.append([update('keyed')], dedup)
    expect(again).toMatchObject({ repeated: true, offset: keyed?.offset, epoch: copy.epoch })
    expect((await copy.append([update('next')]))[0]?.offset).toBe(head + 1)
  })

  it('of an empty log is an empty log', async () => {
    const path = await closedLog(0)
    const target = newTarget()
    expect(await backUp(path, target)).toMatchObject({ entries: 0, lastEventId: undefined })
    expect(await keptIn(await openLog({ path: target }))).toEqual([])
  })

  it('of a log of format 1 can be opened', async () => {
    const target = newTarget()
    expect(await backUp(await oldFolder(1, ['1', '2']), target)).toMatchObject({ entries: 2 })
    const copy = await openLog({ path: target })
    expect(copy.epoch).not.toBe('old')
    expect(await keptIn(copy)).toEqual(['1', '2'])
  })

  it('can go into an empty folder, and can be backed up itself', async () => {
    const [first, second] = [newFolder(), newTarget()]
    await backUp(await closedLog(), first)
    await backUp(first, second)
    expect(await keptIn(await openLog({ path: second }))).toHaveLength(300)
  })

  it('is smaller than a file with free pages', async () => {
    const path = newFolder()
    const log = await openLog({ path, retention: [{ match: '*', last: 1 }] })
    for (let round = 0; round < 20; round++) await log.append([update('x'.repeat(100_000))])
    await log.close()
    const { bytes } = await backUp(path, newTarget())
    expect(bytes).toBeLessThan(statSync(join(path, 'data.mdb')).size / 2)
  })

  it('of a process with durability os is complete up to a commit', async () => {
    const path = newFolder()
    const writer = await startWriter(path, 'os')
    const target = newTarget()
    const { entries } = await backUp(path, target)
    const { offset } = await writer.kill()
    expect(entries % 3).toBe(0)
    expect(entries).toBeLessThanOrEqual(offset + 3)
    const kept = await keptIn(await openLog({ path: target }))
    expect(kept).toEqual(Array.from({ length: entries }, (_, at) => String(at + 1)))
  })

  it('undoes no commit of the process that writes', { timeout: 120_000 }, async () => {
    const path = newFolder()
    const writer = await startWriter(path, 'os', { retention: [{ match: '*', entries: 100 }] })
    for (let count = 0; count < 300; count++) {
      const { offset } = writer
      const target = newTarget()
      await backUp(path, target)
      rmSync(target, { recursive: true })
      await expect.poll(() => writer.isRunning && writer.offset > offset).toBe(true)
    }
  })
})

describe('a backup is refused, and there is no target', () => {
  async function refused(path: string, target: string, message: string): Promise<void> {
    const before = existsSync(target) ? readdirSync(dirname(target)) : []
    await expect(backUp(path, target)).rejects.toThrow(message)
    expect(existsSync(target) ? readdirSync(dirname(target)) : []).toEqual(before)
    expect(existsSync(`${target}.partial`)).toBe(message.includes('interrupted'))
  }

  it('without a history', async () => {
    const path = newFolder()
    await refused(path, newTarget(), `${path} holds no history; name the folder that the server has in --data`)
  })

  it('when the target is not empty, or is a file', async () => {
    const [path, target] = [await closedLog(), newTarget()]
    mkdirSync(target)
    writeFileSync(join(target, 'other'), '')
    await refused(path, target, `${target} exists already; choose a new folder`)
    await refused(path, join(target, 'other'), 'exists already')
  })

  it('when an interrupted backup is there', async () => {
    const target = newTarget()
    mkdirSync(`${target}.partial`)
    await refused(await closedLog(), target, `${target}.partial is left from a backup that was interrupted; delete it`)
  })

  it('when the target cannot be created', async () => {
    const file = join(newFolder(), 'file')
    writeFileSync(file, '')
    await expect(backUp(await closedLog(), join(file, 'backup'))).rejects.toThrow('(ENOTDIR); choose a folder that')
  })

  it('when the data was truncated', async () => {
    const path = await closedLog()
    const file = join(path, 'data.mdb')
    truncateSync(file, statSync(file).size / 2)
    await refused(path, newTarget(), `${file} is damaged: it ends at byte`)
  })

  it('when the data has a newer format', async () => {
    const path = await oldFolder(3, ['1'])
    await refused(path, newTarget(), 'format 3')
  })

  it('when the process that wrote with durability os was killed', async () => {
    const path = newFolder()
    await (await startWriter(path, 'os')).kill()
    await refused(path, newTarget(), `${path} was not closed by its server, which ran with durability os`)
  })

  it.skipIf(noSmallDisk())('when the disk is full', async () => {
    const path = newFolder()
    const log = await LmdbLog.open({ path })
    for (let round = 0; round < 40; round++) await log.append([update('x'.repeat(100_000))])
    await log.close()
    // LMDB appends what it notes on this to the next error of the process.
    const other = newFolder()
    const open = await LmdbLog.open({ path: other })
    await open.append([update('1')])
    await backUp(other, newTarget())
    await open.close()
    const disk = smallDisk(2)
    await refused(
      path,
      join(disk, 'backup'),
      `${disk}/backup.partial cannot be written: No space left on device; check its disk`
    )
    expect(readdirSync(disk)).toEqual([])
  })
})
