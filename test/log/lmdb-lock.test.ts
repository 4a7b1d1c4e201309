// One writer at a time uses the folder of an LmdbLog, in any process or container. A second writer that gets past the lock
// loses nothing.
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { LmdbLog, LogError } from '../../dist/index.js'
import { noNamespace, staleSocket, startContenders } from '../support/log/lock-contenders.ts'
import {
  fillDisk,
  keptIn,
  many,
  newFolder,
  noSmallDisk,
  openLog,
  smallDisk,
  startWriter
} from '../support/log/log-folder.ts'

describe('LmdbLog allows one writer at a time', () => {
  it('rejects a second log on its folder, and the error names this process', async () => {
    const path = newFolder()
    const log = await openLog({ path })
    await log.append(many(3))
    const second = LmdbLog.open({ path })
    await expect(second).rejects.toThrow(`${path} is in use by this process (pid ${process.pid}); stop that first`)
    await expect(second).rejects.toBeInstanceOf(LogError)
    expect(await keptIn(log)).toEqual(['1', '2', '3'])
  })

  it('rejects a second process, names the first, and opens after the first is killed', async () => {
    const path = newFolder()
    const writer = await startWriter(path, 'flush')
    await expect(LmdbLog.open({ path })).rejects.toThrow(`${path} is in use by another process (pid ${writer.pid})`)
    await writer.kill()
    expect((await openLog({ path })).head).toBeGreaterThan(0)
  })

  const obstacle = noNamespace()
  it.skipIf(obstacle)(
    `rejects a process in another container${obstacle ? ` (skipped: ${obstacle})` : ''}`,
    async () => {
      const path = newFolder()
      const writer = await startWriter(path, 'flush', {
        within: ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child']
      })
      await expect(LmdbLog.open({ path })).rejects.toThrow(`${path} is in use by another process`)
      await writer.kill()
      expect((await openLog({ path })).head).toBeGreaterThan(0)
    }
  )

  it('works in a folder whose path is too long for a Unix socket', async () => {
    const path = join(newFolder(), 'x'.repeat(120))
    const log = await openLog({ path })
    await expect(LmdbLog.open({ path })).rejects.toThrow('is in use by this process')
    await log.close()
    await openLog({ path })
  })

  it('takes over the lock of an earlier version', async () => {
    const path = newFolder()
    writeFileSync(join(path, 'owner'), JSON.stringify({ pid: process.pid, started: '', token: 'x' }))
    await openLog({ path })
  })

  it('is opened by exactly one of several processes that try at once, repeatedly', async () => {
    const contenders = await startContenders(3)
    for (let round = 0; round < 40; round++) {
      const path = newFolder()
      await staleSocket(join(path, 'owner.sock'))
      const outcomes = await Promise.all(contenders.map(({ open }) => open(path)))
      expect(outcomes.sort()).toEqual(['mine', 'refused', 'refused'])
    }
  })

  const noDisk = noSmallDisk()
  it.skipIf(noDisk)(`releases the lock on a full disk${noDisk ? ` (skipped: ${noDisk})` : ''}`, async () => {
    const path = smallDisk(8)
    const log = await openLog({ path })
    await log.append(many(3))
    await log.close()
    fillDisk(path, join(path, 'filler'))
    expect(await keptIn(await openLog({ path }))).toEqual(['1', '2', '3'])
  })
})

describe('LmdbLog detects a second writer that got past the lock', () => {
  it('stops at its next commit, and loses nothing that was acknowledged to the other writer', async () => {
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

  it('stops when its data file was replaced', async () => {
    const path = newFolder()
    const log = await openLog({ path })
    await log.append(many(3))
    for (const name of ['data.mdb', 'lock.mdb', 'owner.sock']) rmSync(join(path, name))
    await (await startWriter(path, 'flush')).kill()
    await expect(log.append(many(1))).rejects.toThrow(
      `${join(path, 'data.mdb')} was replaced since this process opened it`
    )
  })

  it('reports once that it has stopped, also when nobody publishes', async () => {
    const path = newFolder()
    const failures: Error[] = []
    let now = 0
    const log = await openLog({
      path,
      retention: [{ match: '*', age: 1_000 }],
      now: () => now,
      failed: (error) => failures.push(error)
    })
    await log.append(many(3))
    for (const name of ['data.mdb', 'lock.mdb', 'owner.sock']) rmSync(join(path, name))
    await (await startWriter(path, 'flush')).kill()
    now = 2_000
    await expect.poll(() => failures.length).toBe(1)
    expect(failures[0]).toBeInstanceOf(LogError)
    expect(failures[0]?.message).toContain('was replaced since this process opened it')
    expect(log.isReady).toBe(false)
    await expect(log.append(many(1))).rejects.toBe(failures[0])
    expect(failures.length).toBe(1)
  })
})
