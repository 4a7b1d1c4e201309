// One writer at a time uses the folder of an LmdbLog, wherever it runs; and a second one that gets past that loses nothing.
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { LmdbLog, LogError } from '../../dist/index.js'
import { noNamespace, staleSocket, startContenders } from '../support/lock-contenders.ts'
import {
  fillDisk,
  keptIn,
  many,
  newFolder,
  noSmallDisk,
  openLog,
  smallDisk,
  startWriter
} from '../support/log-folder.ts'

describe('LmdbLog allows one writer at a time', () => {
  it('refuses a second log on its folder, and tells that this process has it', async () => {
    const path = newFolder()
    const log = await openLog({ path })
    await log.append(many(3))
    const second = LmdbLog.open({ path })
    await expect(second).rejects.toThrow(`${path} is in use by this process (pid ${process.pid}); stop that first`)
    await expect(second).rejects.toBeInstanceOf(LogError)
    expect(await keptIn(log)).toEqual(['1', '2', '3'])
  })

  it('refuses a second process, names the first, and goes on when that was killed', async () => {
    const path = newFolder()
    const writer = await startWriter(path, 'flush')
    await expect(LmdbLog.open({ path })).rejects.toThrow(`${path} is in use by another process (pid ${writer.pid})`)
    await writer.kill()
    expect((await openLog({ path })).head).toBeGreaterThan(0)
  })

  const obstacle = noNamespace()
  it.skipIf(obstacle)(`refuses one in another container${obstacle ? ` (skipped: ${obstacle})` : ''}`, async () => {
    const path = newFolder()
    const writer = await startWriter(path, 'flush', ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'])
    await expect(LmdbLog.open({ path })).rejects.toThrow(`${path} is in use by another process`)
    await writer.kill()
    expect((await openLog({ path })).head).toBeGreaterThan(0)
  })

  it('works in a folder whose path is too long for a socket', async () => {
    const path = join(newFolder(), 'x'.repeat(120))
    const log = await openLog({ path })
    await expect(LmdbLog.open({ path })).rejects.toThrow('is in use by this process')
    await log.close()
    await openLog({ path })
  })

  it('takes over from what an earlier version left', async () => {
    const path = newFolder()
    writeFileSync(join(path, 'owner'), JSON.stringify({ pid: process.pid, started: '', token: 'x' }))
    await openLog({ path })
  })

  it('is taken over by one of several who try at once, time after time', { timeout: 60_000 }, async () => {
    const contenders = await startContenders(3)
    for (let round = 0; round < 40; round++) {
      const path = newFolder()
      await staleSocket(join(path, 'owner.sock'))
      const outcomes = await Promise.all(contenders.map(({ open }) => open(path)))
      expect(outcomes.sort()).toEqual(['mine', 'refused', 'refused'])
    }
  })

  const noDisk = noSmallDisk()
  it.skipIf(noDisk)(`is given back on a full disk${noDisk ? ` (skipped: ${noDisk})` : ''}`, async () => {
    const path = smallDisk(8)
    const log = await openLog({ path })
    await log.append(many(3))
    await log.close()
    fillDisk(path, join(path, 'filler'))
    expect(await keptIn(await openLog({ path }))).toEqual(['1', '2', '3'])
  })
})

describe('LmdbLog finds another writer that the lock did not keep out', () => {
  it('stops with its next commit, and loses nothing of what the other one was told is kept', async () => {
    const path = newFolder()
    const log = await openLog({ path })
    await log.append(many(3))
    rmSync(join(path, 'owner.sock'))
    const { offset } = await (await startWriter(path, 'flush')).kill()
    const late = log.append(many(1))
    await expect(late).rejects.toThrow(`${join(path, 'data.mdb')} was written to by another process`)
    await expect(late).rejects.toBeInstanceOf(LogError)
    expect(log.isReady).toBe(false)
    await log.close()
    expect((await openLog({ path })).head).toBeGreaterThanOrEqual(offset)
  })

  it('stops when its data file was replaced by another one', async () => {
    const path = newFolder()
    const log = await openLog({ path })
    await log.append(many(3))
    for (const name of ['data.mdb', 'lock.mdb', 'owner.sock']) rmSync(join(path, name))
    await (await startWriter(path, 'flush')).kill()
    await expect(log.append(many(1))).rejects.toThrow(`${join(path, 'data.mdb')} is another file by now`)
  })
})
