// LmdbLog when it cannot work: its error states the cause, and it loses nothing that it promised to keep.
import { closeSync, openSync, readFileSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { LmdbLog } from '../../dist/index.js'
import { keptIn, many, newFolder, oldFolder, openLog, update } from '../support/log/log-folder.ts'

describe('LmdbLog rejects a folder or file that it cannot use', () => {
  async function closedLog(): Promise<string> {
    const path = newFolder()
    const log = await openLog({ path })
    await log.append(many(2_000))
    await log.close()
    return path
  }

  it('a folder that cannot be created', async () => {
    const file = join(newFolder(), 'file')
    writeFileSync(file, '')
    const path = join(file, 'log')
    await expect(LmdbLog.open({ path })).rejects.toThrow(
      `${path} cannot hold a log (ENOTDIR); choose a folder that can be created and written by this user`
    )
  })

  it('a data file truncated to half its size', async () => {
    const path = await closedLog()
    const file = join(path, 'data.mdb')
    const { size } = statSync(file)
    truncateSync(file, size / 2)
    await expect(LmdbLog.open({ path })).rejects.toThrow(
      `${file} is damaged: it ends at byte ${size / 2}, and must have ${size}; restore a backup, or move the folder away`
    )
    expect(statSync(file).size).toBe(size / 2)
  })

  it.each([0, 100, 4_096])('a data file truncated to %i bytes', async (size) => {
    const path = await closedLog()
    truncateSync(join(path, 'data.mdb'), size)
    await expect(LmdbLog.open({ path })).rejects.toThrow(`${join(path, 'data.mdb')} is damaged`)
  })

  it.each([0, 4_096])('a data file with garbage from byte %i', async (position) => {
    const path = await closedLog()
    const file = openSync(join(path, 'data.mdb'), 'r+')
    writeSync(file, Buffer.alloc(4_096, 'garbage'), 0, 4_096, position)
    closeSync(file)
    await expect(LmdbLog.open({ path })).rejects.toThrow(`is damaged: what stands at byte ${position} is not`)
  })

  it('a file of another program, which stays unchanged', async () => {
    const path = newFolder()
    writeFileSync(join(path, 'data.mdb'), 'a letter')
    await expect(LmdbLog.open({ path })).rejects.toThrow('is damaged')
    expect(readFileSync(join(path, 'data.mdb'), 'utf8')).toBe('a letter')
  })

  it('a log with a newer format; the error states the format', async () => {
    const path = await oldFolder(3, ['1'])
    await expect(LmdbLog.open({ path })).rejects.toThrow(
      `${path} holds a log of format 3, and this version of tidings reads formats up to 2; use the version that wrote it`
    )
  })

  it('but opens format 1, whose counters may be wrong after a crash', async () => {
    const retention = [{ match: '*', entries: 4 }]
    const path = await oldFolder(1, ['1', '2', '3'], retention)
    const log = await openLog({ path, retention })
    await log.append([update('4'), update('5')])
    expect([log.epoch, await keptIn(log)]).toEqual(['old', ['2', '3', '4', '5']])
    await log.close()
    expect(await keptIn(await openLog({ path, retention }))).toEqual(['2', '3', '4', '5'])
  })

  it('and opens the log after the problem is fixed', async () => {
    const path = await closedLog()
    const whole = readFileSync(join(path, 'data.mdb'))
    truncateSync(join(path, 'data.mdb'), 8_192)
    await expect(LmdbLog.open({ path })).rejects.toThrow('is damaged')
    writeFileSync(join(path, 'data.mdb'), whole)
    expect((await openLog({ path })).head).toBe(2_000)
  })
})
