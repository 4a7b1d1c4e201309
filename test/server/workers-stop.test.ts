// `--workers 2`: stopping and reloading. One signal concerns all processes.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { ask, post } from '../support/http/http.ts'
import { listen } from '../support/http/sse-client.ts'
import { newFolder } from '../support/log/log-folder.ts'
import { freePort } from '../support/servers/free-port.ts'
import {
  askBoth,
  beginWorkers,
  killWorker,
  linesOf,
  listenOnBoth,
  processesOf,
  startWorkers,
  timesOf
} from '../support/servers/workers.ts'

const refuses = (url: string) =>
  expect
    .poll(() =>
      ask(url).then(
        () => 'answers',
        () => 'refuses'
      )
    )
    .toBe('refuses')

describe('a stop', () => {
  it('on SIGTERM ends the streams of both workers over the drain timeout, with exit code 0', async () => {
    const server = await beginWorkers(['--drain-timeout', '2s'])
    const streams = await Promise.all(Array.from({ length: 20 }, () => listen(`${server.url}/subscribe`)))
    const ends = streams.map(async (stream) => {
      await stream.until(({ ended }) => ended)
      return performance.now()
    })
    server.signal('SIGTERM')
    await refuses(server.url)
    const times = await Promise.all(ends)
    expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(500)
    expect(streams.every(({ raw }) => /retry: \d+\n\n$/.test(raw))).toBe(true)
    expect((await server.ended).code).toBe(0)
    expect(timesOf(server, 'a worker has ended')).toBe(0)
  })

  it('answers operators until the last stream has ended', async () => {
    const ops = `http://127.0.0.1:${await freePort()}`
    const server = await beginWorkers(['--drain-timeout', '1m', '--ops-listen', ops.slice('http://'.length)])
    const streams = await Promise.all(Array.from({ length: 20 }, () => listen(`${server.url}/subscribe`)))
    server.signal('SIGTERM')
    await refuses(server.url)
    for (const answer of await askBoth(() => ask(`${ops}/readyz`))) {
      expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '1' } })
    }
    for (const { status } of await askBoth(() => ask(`${ops}/healthz`))) expect(status).toBe(200)
    expect(streams.some(({ ended }) => !ended)).toBe(true)
    server.signal('SIGTERM')
    expect((await server.ended).code).toBe(130)
  })

  it('on SIGINT to all processes, as a terminal sends it, is clean, and happens once', async () => {
    const server = await beginWorkers(['--drain-timeout', '0'])
    const streams = await listenOnBoth(server)
    process.kill(-server.pid, 'SIGINT')
    const { code, stderr } = await server.ended
    expect({ code, stops: timesOf(server, 'stopping'), ended: timesOf(server, 'stopped') }).toEqual({
      ...{ code: 0, stops: 1, ended: 1 }
    })
    expect(stderr).not.toContain('"level":"error"')
    for (const stream of streams) await stream.until(({ raw, ended }) => ended && raw.includes('retry:'))
  })

  it('on SIGTERM to all processes, as systemd sends it, is clean', async () => {
    const server = await beginWorkers(['--drain-timeout', '200ms'])
    await listenOnBoth(server)
    process.kill(-server.pid, 'SIGTERM')
    expect((await server.ended).code).toBe(0)
  })

  it('on a second signal is at once', async () => {
    const server = await beginWorkers(['--drain-timeout', '1m'])
    const streams = await Promise.all(Array.from({ length: 10 }, () => listen(`${server.url}/subscribe`)))
    server.signal('SIGTERM')
    await refuses(server.url)
    server.signal('SIGTERM')
    expect((await server.ended).code).toBe(130)
    for (const stream of streams) await stream.until(({ ended }) => ended)
  })
})

describe('a reload', () => {
  const start = async (content: string, ...args: string[]) => {
    const file = join(newFolder(), 'tidings.yaml')
    writeFileSync(file, content)
    const server = await startWorkers('--config', file, ...args)
    const reload = (changed: string) => {
      writeFileSync(file, changed)
      process.kill(server.pid, 'SIGHUP')
    }
    return { server, reload }
  }
  const statuses = (url: string) => askBoth(async () => (await post(`${url}/publish`, 'longer')).status)

  it('changes the options of all workers, and of those that start later; streams stay', async () => {
    const { server, reload } = await start('maxBody: 100\n', '--store', newFolder())
    const [, staying] = await listenOnBoth(server)
    expect(await statuses(server.url)).toEqual([200, 200, 200, 200])
    reload('maxBody: 3\nretention: [{ match: "*", entries: 2 }]\n')
    await expect.poll(() => timesOf(server, 'reloaded')).toBe(1)
    expect(await statuses(server.url)).toEqual([413, 413, 413, 413])
    for (const text of ['a', 'b', 'c']) await post(`${server.url}/publish`, text)
    for (const stream of await listenOnBoth(server, '/subscribe?last_event_id=earliest')) {
      expect(await stream.received(2)).toEqual(['b', 'c'])
    }
    await killWorker(server, 1)
    expect(await statuses(server.url)).toEqual([413, 413, 413, 413])
    expect(staying.ended).toBe(false)
  })

  it('that is invalid is logged once, and all workers keep the old options', async () => {
    const { server, reload } = await start('maxBody: 3\n')
    reload('maxBody: lots\n')
    await expect.poll(() => timesOf(server, 'not reloaded')).toBe(1)
    expect(await statuses(server.url)).toEqual([413, 413, 413, 413])
    expect(timesOf(server, 'not reloaded')).toBe(1)
  })

  it('reaches a worker that starts meanwhile', async () => {
    const { server, reload } = await start('maxBody: 100\n')
    for (let round = 0; round < 3; round++) {
      const before = processesOf(server, 1)
      process.kill(before.at(-1) as number, 'SIGKILL')
      await expect.poll(() => timesOf(server, 'a worker has ended')).toBe(round + 1)
      await sleep(100 * round)
      reload(`maxBody: ${round % 2 === 0 ? 3 : 100}\n`)
      await expect.poll(() => processesOf(server, 1).length).toBe(before.length + 1)
      await expect.poll(() => timesOf(server, 'reloaded')).toBe(round + 1)
      const expected = round % 2 === 0 ? 413 : 200
      await expect.poll(() => statuses(server.url)).toEqual([expected, expected, expected, expected])
    }
    expect(linesOf(server).some(({ msg }) => msg.startsWith('not reloaded'))).toBe(false)
  })
})
