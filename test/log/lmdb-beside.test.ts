// Other processes that open the folder of a log for reading: commits wait for that, and what they read is kept as long as they live.
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { open } from 'lmdb'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { backUp } from '../../dist/log/lmdb/files/backup.js'
import { CommitGate } from '../../dist/log/lmdb/files/commit-gate.js'
import { openBeside } from '../../dist/log/lmdb/files/open-beside.js'
import { keptIn, many, newFolder, openLog, startWriter, update } from '../support/log/log-folder.ts'
import { dist, isReading, run } from '../support/log/module-process.ts'

/** A process that asks for a pause of commits and then does nothing, as one that is suspended. */
async function suspendedReader(path: string) {
  const socket = connect(join(path, 'owner.sock')).setEncoding('utf8')
  onTestFinished(() => void socket.destroy())
  let answer = ''
  socket.on('data', (text: string) => {
    answer += text
  })
  socket.write('open\n')
  await expect.poll(() => answer).toContain('paused')
  return socket
}

describe('a process that opens the folder', () => {
  it('has commits wait until it has opened it', async () => {
    const path = newFolder()
    const log = await openLog({ path })
    const reader = await suspendedReader(path)
    let isDone = false
    const appended = log.append(many(1)).then(() => {
      isDone = true
    })
    // Twenty commits of another log take longer than one of this.
    const other = await openLog()
    for (let count = 0; count < 20; count++) await other.append(many(1))
    expect(isDone).toBe(false)
    reader.write('opened\n')
    await appended
    expect(await keptIn(log)).toEqual(['1'])
  })

  it('has commits wait until it is killed', async () => {
    const path = newFolder()
    const log = await openLog({ path })
    const reader = await suspendedReader(path)
    const appended = log.append(many(1))
    reader.destroy()
    await appended
  })

  it('is disconnected when it sends something else', async () => {
    const path = newFolder()
    const log = await openLog({ path })
    const reader = await suspendedReader(path)
    reader.write('anything')
    await once(reader, 'close')
    await log.append(many(1))
  })

  it('is waited for by the end of the log', async () => {
    const path = newFolder()
    const log = await openLog({ path })
    const reader = await suspendedReader(path)
    const appended = log.append([update('last')])
    const closed = log.close()
    reader.destroy()
    await Promise.all([appended, closed])
    expect(await keptIn(await openLog({ path }))).toEqual(['last'])
  })

  it('no longer keeps old pages when it was killed', async () => {
    const path = newFolder()
    await startWriter(path, 'os', { retention: [{ match: '*', entries: 10 }] })
    const reader = await run(`import { open } from 'lmdb'
      import { openBeside } from ${dist('log/lmdb/files/open-beside.js')}
      const path = ${JSON.stringify(path)}
      const [root] = await openBeside(path, () => open({ path, readOnly: true, noSubdir: false, maxDbs: 10 }))
      root.useReadTransaction()
      console.log('reads')
      setInterval(() => root, 1_000)`)
    const [root, leave] = await openBeside(path, () => open({ path, readOnly: true, noSubdir: false, maxDbs: 10 }))
    onTestFinished(async () => {
      await root.close()
      leave()
    })
    expect(isReading(root, reader.pid)).toBe(true)
    await reader.kill()
    await expect.poll(() => isReading(root, reader.pid)).toBe(false)
  })

  it('fails when the owner ends without an answer', async () => {
    const path = newFolder()
    const log = await openLog({ path })
    await log.append(many(1))
    await log.close()
    const owner = createServer((socket) => void socket.on('error', () => {}).destroy()).listen(join(path, 'owner.sock'))
    onTestFinished(() => void owner.close())
    await once(owner, 'listening')
    await expect(backUp(path, join(newFolder(), 'backup'))).rejects.toThrow(
      `${path} is in use by a process that does not answer; stop or continue it, and try again`
    )
  })
})

describe('CommitGate', () => {
  afterEach(() => void vi.useRealTimers())

  it('refuses a commit after ten seconds, and lets the next one through when the process goes on', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const gate = new CommitGate()
    const release = await gate.hold()
    const work = vi.fn(async () => {})
    const refused = expect(gate.commit(work)).rejects.toMatchObject({
      code: 'log_unavailable',
      detail: 'a process that opens the folder, such as a backup, is suspended; continue or kill it'
    })
    await vi.advanceTimersByTimeAsync(10_000)
    await refused
    const committed = gate.commit(work)
    await turn()
    expect(work).not.toHaveBeenCalled()
    release()
    await committed
    expect(work).toHaveBeenCalledOnce()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('lets nobody open the folder during a commit', async () => {
    const gate = new CommitGate()
    const events: string[] = []
    let finish = () => {}
    const committed = gate
      .commit(() => new Promise<void>((resolve) => (finish = resolve)))
      .then(() => events.push('end'))
    const held = gate.hold().then(() => events.push('held'))
    await turn()
    expect(events).toEqual([])
    finish()
    await Promise.all([committed, held])
    expect(events).toEqual(expect.arrayContaining(['end', 'held']))
  })
})
