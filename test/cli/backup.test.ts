// `tidings backup` while a server publishes into the folder, a restore, and a backup that is killed.
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ask, post } from '../support/http/http.ts'
import { listen } from '../support/http/sse-client.ts'
import { newFolder } from '../support/log/log-folder.ts'
import { begin, tidings } from '../support/servers/cli.ts'
import { startServer } from '../support/servers/server.ts'

async function start(folder: string, ...args: string[]) {
  const server = await startServer({ args: ['--data', folder, ...args] })
  onTestFinished(() => server.kill('SIGKILL'))
  return server
}

/** Publishes numbers until it is stopped; `acknowledged` is the newest. */
function count(url: string) {
  const publisher = { acknowledged: 0, stop: async () => {} }
  let isOver = false
  const published = (async () => {
    for (let number = 1; !isOver; number++) {
      const padding = ' '.repeat(1_000)
      expect((await post(`${url}/publish?topic=numbers`, `${number}${padding}`)).status).toBe(200)
      publisher.acknowledged = number
    }
  })()
  publisher.stop = () => {
    isOver = true
    return published
  }
  onTestFinished(publisher.stop)
  return publisher
}

async function numbersIn(url: string): Promise<number[]> {
  const client = await listen(`${url}/subscribe?last_event_id=earliest`)
  const { text } = await ask(`${url}/updates?last=1`)
  const [{ data: newest }] = (JSON.parse(text) as { updates: [{ data: string }] }).updates
  await client.until(({ data }) => data.includes(newest), 'the newest update')
  client.close()
  return client.data.map(Number)
}

const upTo = (last: number) => Array.from({ length: last }, (_, at) => at + 1)

describe('tidings backup', () => {
  it('copies the history of a running server up to a moment, and disturbs nothing', async () => {
    const folder = newFolder()
    const server = await start(folder)
    const publisher = count(server.url)
    const targets = newFolder()
    for (const name of ['one', 'two', 'three']) {
      const wanted = publisher.acknowledged + 50
      await expect.poll(() => publisher.acknowledged).toBeGreaterThan(wanted)
      const before = publisher.acknowledged
      const target = join(targets, name)
      const { code, stdout, stderr } = await tidings(['backup', folder, target])
      const after = publisher.acknowledged
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      const [, entries] = /^.* has (\d+) updates, up to #[0-9a-z]+-[0-9a-z]+, in \d+ bytes\n$/.exec(stdout) ?? []
      // One more may be committed, and not be answered yet.
      expect(Number(entries)).toBeGreaterThanOrEqual(before)
      expect(Number(entries)).toBeLessThanOrEqual(after + 1)
      const restored = await start(target)
      expect(await numbersIn(restored.url)).toEqual(upTo(Number(entries)))
      await restored.kill('SIGTERM')
    }
    await publisher.stop()
    expect(await numbersIn(server.url)).toEqual(upTo(publisher.acknowledged))
  })

  it('is restored in the place of the folder: a client gets a gap, and then what the backup has', async () => {
    const folder = join(newFolder(), 'data')
    const before = await start(folder, '--idempotent', '1h')
    for (const data of ['a', 'b']) await post(`${before.url}/publish`, data, { 'Idempotency-Key': `"${data}"` })
    const backup = `${folder}-backup`
    expect(await tidings(['backup', folder, backup])).toMatchObject({ code: 0 })
    const lost = await post(`${before.url}/publish`, 'lost')
    await before.kill('SIGKILL')
    rmSync(folder, { recursive: true })
    renameSync(backup, folder)

    const after = await start(folder, '--idempotent', '1h')
    // Without another epoch, the client would take this update for one that it has received.
    await post(`${after.url}/publish`, 'new')
    const client = await listen(`${after.url}/subscribe`, { 'Last-Event-ID': String(lost.headers['event-id']) })
    await client.until(({ data }) => data.includes('new'))
    const [gap, ...rest] = client.events
    expect(gap).toMatchObject({ event: 'tidings:gap', data: expect.stringContaining('"reason":"epoch"') })
    expect(rest.map(({ data }) => data)).toEqual(['a', 'b', 'new'])
    const again = await post(`${after.url}/publish`, 'b', { 'Idempotency-Key': '"b"' })
    expect(again.headers['idempotent-replayed']).toBe('true')
  })

  it('that is killed leaves no target, and the next one says what to delete', async () => {
    const folder = newFolder()
    const server = await start(folder)
    const publisher = count(server.url)
    await expect.poll(() => publisher.acknowledged).toBeGreaterThan(200)
    const target = join(newFolder(), 'backup')
    let killed = 0
    for (let round = 0; killed < 3; round++) {
      const backup = begin(['backup', folder, target])
      await expect.poll(() => existsSync(`${target}.partial`) || existsSync(target), { interval: 1 }).toBe(true)
      await sleep(round % 5)
      backup.signal('SIGKILL')
      const { code } = await backup.ended
      if (code === 0) {
        expect(readdirSync(target)).toEqual(['data.mdb'])
        rmSync(target, { recursive: true })
        continue
      }
      // Killed after the rename, it is complete.
      if (!existsSync(`${target}.partial`)) {
        rmSync(target, { recursive: true })
        continue
      }
      killed++
      expect(existsSync(target)).toBe(false)
      const { code: refused, stderr } = await tidings(['backup', folder, target])
      expect(refused).toBe(1)
      expect(stderr).toBe(
        `tidings: ${target}.partial is left from a backup that was interrupted; delete it, and try again\n`
      )
      rmSync(`${target}.partial`, { recursive: true })
    }
    expect(await tidings(['backup', folder, target])).toMatchObject({ code: 0 })
    await publisher.stop()
    expect(await numbersIn(server.url)).toEqual(upTo(publisher.acknowledged))
  })

  it('says what is wrong in one line', async () => {
    const folder = newFolder()
    expect(await tidings(['backup', folder, join(folder, 'backup')])).toEqual({
      code: 1,
      stdout: '',
      stderr: `tidings: ${folder} holds no history; name the folder that the server has in --data\n`
    })
    expect(await tidings(['backup', folder])).toMatchObject({ code: 2 })
  })
})
