// A rolling upgrade: the commit before this one and this build on one Redis at the same time, and one after the other on one folder.
import { describe, expect, it, onTestFinished } from 'vitest'
import { ask, post } from '../support/http/http.ts'
import { ResumingClient } from '../support/http/resuming-client.ts'
import { listen } from '../support/http/sse-client.ts'
import { newFolder } from '../support/log/log-folder.ts'
import { describeWith, redis } from '../support/requirements.ts'
import { earlierBuild } from '../support/servers/earlier.ts'
import { redisForTest } from '../support/servers/redis.ts'
import { startServer } from '../support/servers/server.ts'

const earlier = earlierBuild()

async function start(program: string | undefined, args: string[], port = 0) {
  const server = await startServer({ ...(program !== undefined && { program }), port, args })
  onTestFinished(() => server.kill('SIGKILL'))
  return server
}

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => String(from + at))

describeWith(await redis(), `an upgrade from ${earlier.name} on one Redis`, (program) => {
  it('server by server: every client receives everything, once and in order', async () => {
    const { url } = await redisForTest(program)
    const args = ['--store', url, '--idempotent', '5m']
    const olds = [await start(earlier.program, args), await start(earlier.program, args)]
    const servers = [...olds]
    let next = 0
    const clients = Array.from({ length: 6 }, () => {
      return new ResumingClient(() => `${servers[next++ % servers.length]?.url}/subscribe?last_event_id=earliest`)
    })
    onTestFinished(() => {
      for (const client of clients) client.close()
    })
    await expect.poll(() => clients.every(({ isOpen }) => isOpen)).toBe(true)
    let published = 0
    const publish = async () => {
      for (const server of [...servers]) {
        const data = String(++published)
        expect((await post(`${server.url}/publish?topic=t`, data, { 'Idempotency-Key': `"${data}"` })).status).toBe(200)
      }
    }
    await publish()
    for (const at of [0, 1]) {
      // The new server joins, the old one leaves.
      const old = servers[at] as (typeof servers)[number]
      servers[at] = await start(undefined, args)
      await publish()
      await old.kill('SIGTERM')
      await publish()
    }
    await expect.poll(() => clients.map(({ data }) => data.length)).toEqual(clients.map(() => published))
    for (const { data, history } of clients) {
      expect(data).toEqual(numbers(1, published))
      expect(history.filter((one) => 'gap' in one)).toEqual([])
    }
    const again = await post(`${servers[0]?.url}/publish?topic=t`, '1', { 'Idempotency-Key': '"1"' })
    expect(again.headers['idempotent-replayed']).toBe('true')
  })

  it('with both at the same time: updates, ends, deletions and revocations of one reach the clients of the other', async () => {
    const { url } = await redisForTest(program)
    const args = ['--store', url, '--allow-delete']
    const both = [await start(earlier.program, args), await start(undefined, args)]
    for (const [one, other] of [
      [both[0], both[1]],
      [both[1], both[0]]
    ] as const) {
      const topic = `t${one?.port}`
      const stream = await listen(`${other?.url}/subscribe?topic=${topic}`)
      await post(`${one?.url}/publish?topic=${topic}`, 'hello')
      expect(await stream.received(1)).toEqual(['hello'])
      expect((await ask(`${one?.url}/updates?topic=${topic}`, { method: 'DELETE' })).status).toBe(200)
      await stream.until(({ events }) => events.some(({ event }) => event === 'tidings:deleted'))
      await post(`${one?.url}/publish?topic=${topic}&end`, 'bye')
      await stream.until(({ ended }) => ended)
      const revoked = await listen(`${other?.url}/subscribe?topic=${topic}-secret`)
      const body = JSON.stringify({ topic: `${topic}-secret` })
      const headers = { 'Content-Type': 'application/json' }
      expect((await ask(`${one?.url}/revoke`, { method: 'POST', headers, body })).status).toBe(204)
      await revoked.until(({ ended }) => ended)
    }
  })
})

describe(`an upgrade from ${earlier.name} on one folder`, () => {
  it('keeps history, positions and keys, and so does the way back', async () => {
    const folder = newFolder()
    const args = ['--data', folder, '--idempotent', '1h']
    let lastEventId = ''
    let published = 0
    for (const [round, program] of [earlier.program, undefined, earlier.program, undefined].entries()) {
      const server = await start(program, args)
      if (round > 0) {
        const resumed = await listen(`${server.url}/subscribe`, { 'Last-Event-ID': lastEventId })
        const missed = await post(`${server.url}/publish`, `${++published}`)
        expect(missed.status).toBe(200)
        expect(await resumed.received(1)).toEqual([`${published}`])
        expect(resumed.raw).not.toContain('tidings:gap')
        resumed.close()
        const again = await post(`${server.url}/publish`, `key ${round - 1}`, { 'Idempotency-Key': `"${round - 1}"` })
        expect(again.headers['idempotent-replayed']).toBe('true')
      }
      expect((await post(`${server.url}/publish`, `key ${round}`, { 'Idempotency-Key': `"${round}"` })).status).toBe(
        200
      )
      const answer = await post(`${server.url}/publish`, `${++published}`)
      lastEventId = String(answer.headers['event-id'])
      await server.kill(round === 1 ? 'SIGKILL' : 'SIGTERM')
    }
  })
})
