// `--workers 2`: a worker or the primary process is killed with SIGKILL. Clients resume with nothing lost or repeated.
import { readdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ask, post } from '../support/http/http.ts'
import { ResumingClient } from '../support/http/resuming-client.ts'
import { listen } from '../support/http/sse-client.ts'
import { newFolder } from '../support/log/log-folder.ts'
import { childrenOf } from '../support/servers/server.ts'
import {
  beginWorkers,
  descriptionOf,
  killWorker,
  listenOnBoth,
  metricOf,
  processesOf,
  startWorkers,
  timesOf
} from '../support/servers/workers.ts'

/** Publishes numbers, one after the other, until it is stopped or the server is gone. */
function publishNumbers(url: string) {
  const acknowledged: string[] = []
  let isDone = false
  const publish = async () => {
    for (let number = 0; !isDone; number++) {
      const status = await post(`${url}/publish`, String(number)).then((answer) => answer.status, String)
      if (status === 200) acknowledged.push(String(number))
      else if (String(status).includes('ECONNREFUSED')) return
    }
  }
  const published = publish()
  const stop = () => {
    isDone = true
    return published
  }
  return { acknowledged, published, stop }
}

describe('a killed worker', () => {
  it('is replaced; its clients resume on another one, and streams of the other worker go on', async () => {
    const server = await startWorkers('--store', newFolder())
    const [, staying] = await listenOnBoth(server)
    const clients = Array.from({ length: 20 }, () => new ResumingClient(`${server.url}/subscribe`))
    onTestFinished(() => {
      for (const client of clients) client.close()
    })
    await expect.poll(() => clients.every(({ isOpen }) => isOpen)).toBe(true)
    const { acknowledged, stop } = publishNumbers(server.url)
    // Until the worker has ended, the primary process may ask it, and must not fail with it.
    let isDone = false
    const watching = (async () => {
      while (!isDone) {
        expect((await descriptionOf(server.url).catch(() => ({ head: 0 }))).head).toBeTypeOf('number')
        expect(await metricOf(server.url, 'head').catch(() => 0)).not.toBeNaN()
      }
    })()
    for (let round = 0; round < 2; round++) {
      await expect.poll(() => acknowledged.length).toBeGreaterThan(20 * (round + 1))
      await killWorker(server, 1)
    }
    await expect.poll(() => clients.every(({ isOpen }) => isOpen)).toBe(true)
    isDone = true
    await watching
    await stop()
    const seen = (data: readonly string[]) => data.filter((one) => acknowledged.includes(one))
    await staying.until(({ data }) => seen(data).length >= acknowledged.length)
    expect(seen(staying.data)).toEqual(acknowledged)
    for (const { data } of clients) await expect.poll(() => seen(data)).toEqual(acknowledged)
    expect(clients.some(({ reconnects }) => reconnects > 0)).toBe(true)
    expect(timesOf(server, 'a worker has ended')).toBe(2)
  })

  it('that ends again and again ends all of them with exit code 1', async () => {
    const server = await beginWorkers()
    const stream = await listen(`${server.url}/subscribe`)
    // Before it has started: six starts may take longer than ten seconds.
    const [staying] = processesOf(server, 2)
    let hasEnded = false
    const killing = (async () => {
      for (; !hasEnded; await sleep(5)) {
        for (const pid of workersOf(server.pid)) if (pid !== staying) tryKill(pid)
      }
    })()
    const { code, stderr } = await server.ended
    hasEnded = true
    await killing
    expect(code).toBe(1)
    expect(stderr).toContain('too many workers have ended within ten seconds')
    await stream.until(({ ended }) => ended)
  })
})

/** None when the primary process is gone. */
function workersOf(primary: number): number[] {
  try {
    return childrenOf(primary)
  } catch {
    return []
  }
}

function tryKill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended already.
  }
}

describe('a killed primary process', () => {
  const isFree = (port: number) =>
    new Promise<boolean>((resolve) => {
      const other = createServer()
      other.once('error', () => resolve(false))
      other.listen(port, '127.0.0.1', () => other.close(() => resolve(true)))
    })

  it.each(['folder', 'memory'])(
    'ends all workers, frees the port, and loses nothing in a folder (%s)',
    async (store) => {
      const [folder, temporary] = [newFolder(), newFolder()]
      const args = ['--store', store === 'folder' ? folder : 'memory']
      const server = await beginWorkers(args, { TMPDIR: temporary })
      const stream = await listen(`${server.url}/subscribe`)
      const { acknowledged, published } = publishNumbers(server.url)
      await expect.poll(() => acknowledged.length).toBeGreaterThan(30)
      server.signal('SIGKILL')
      // The pipes of a command close when the last of its processes is gone.
      await server.ended
      await published
      await stream.until(({ ended }) => ended)
      expect(await isFree(Number(new URL(server.url).port))).toBe(true)
      expect(readdirSync(temporary)).toEqual([])
      if (store === 'memory') return
      const after = await startWorkers(...args)
      const history = await listen(`${after.url}/subscribe?last_event_id=earliest`)
      await history.until(({ data }) => data.includes(acknowledged.at(-1) as string))
      expect(history.data.filter((data) => acknowledged.includes(data))).toEqual(acknowledged)
      expect((await ask(`${after.url}/readyz`)).status).toBe(200)
    }
  )
})

describe('a worker that hangs', () => {
  it('is missing in /metrics and /debug, which answer with the others', async () => {
    const server = await startWorkers()
    await listenOnBoth(server)
    expect(await metricOf(server.url, 'workers')).toBe(2)
    const [hanging] = processesOf(server, 1) as [number]
    process.kill(hanging, 'SIGSTOP')
    // Connections that the hanging worker gets have no answer.
    const first = <Result>(request: () => Promise<Result>) => Promise.any(Array.from({ length: 4 }, request))
    expect(await first(() => metricOf(server.url, 'workers'))).toBe(1)
    expect(await first(() => metricOf(server.url, 'subscribers_live'))).toBe(1)
    expect((await first(() => descriptionOf(server.url))).subscribers).toBe(1)
    process.kill(hanging, 'SIGCONT')
    await expect.poll(() => metricOf(server.url, 'subscribers_live')).toBe(2)
  })
})
