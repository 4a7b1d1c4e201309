// Behaviour of the hub that is independent of the dialect: order, retention, delivery, and metrics.
import { connect, type Socket } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startKeyedProcess, startKeyedServer } from '../support/auth/token-sources.ts'
import { ask } from '../support/http/http.ts'
import {
  bearer,
  type Dialect,
  dialects,
  form,
  fresh,
  hubPath,
  type MercureServer,
  serverWith,
  token
} from '../support/http/mercure.ts'
import { listen } from '../support/http/sse-client.ts'
import { isSoak } from '../support/random.ts'

const server = serverWith()
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => String(from + index))

describe.each(dialects)('in %s', (dialect) => {
  const rights = async () => bearer(await token(dialect, { subscribe: ['*'] }))
  /** Resumes after the update whose id is the topic. */
  const resume = async (topic: string) =>
    server.follow(dialect, topic, { headers: { ...(await rights()), 'Last-Event-ID': topic } })

  test('T1 history arrives in order, then new updates, without duplicates, during publishing', async () => {
    const topic = fresh()
    const count = isSoak ? 5_000 : 500
    await server.publish(dialect, { topic, id: topic, data: 'before it' })
    const publishing = publishAll(server, dialect, topic, numbers(0, count))
    const clients = []
    for (let number = 0; number < 20; number++) {
      clients.push(await resume(topic))
    }
    await publishing
    for (const client of clients) expect(await client.received(count)).toEqual(numbers(0, count))
  })

  test('T1 updates of several publishers arrive at all subscribers in one order', async () => {
    const topic = fresh()
    await server.publish(dialect, { topic, id: topic, data: 'before it' })
    const early = await resume(topic)
    await Promise.all([0, 100, 200].map((from) => publishAll(server, dialect, topic, numbers(from, from + 100))))
    const late = await resume(topic)
    const seen = await early.received(300)
    expect(await late.received(300)).toEqual(seen)
    expect(new Set(seen).size).toBe(300)
    const ofFirst = seen.filter((data) => Number(data) < 100)
    expect(ofFirst).toEqual(numbers(0, 100))
  })

  test('T2 with a byte limit, the newest updates are kept', async () => {
    const bounded = await startKeyedServer('--retention', '[{"match":"*","bytes":"16KiB"}]')
    const topic = fresh()
    await publishAll(bounded, dialect, topic, numbers(0, 50), 'x'.repeat(1_000))
    const headers = { ...(await rights()), 'Last-Event-ID': 'earliest' }
    const client = await bounded.follow(dialect, topic, { headers })
    await client.until(({ data }) => data.at(-1)?.startsWith('49') ?? false)
    const kept = client.data.map((data) => data.replaceAll('x', ''))
    expect(kept).toEqual(numbers(50 - kept.length, 50))
    expect(kept.length).toBeGreaterThan(5)
    expect(kept.length).toBeLessThan(20)
  })

  test('T3 a closing hub rejects a publish that arrives during shutdown', async () => {
    const closing = await startKeyedProcess()
    const socket = await begin(closing, 'POST', await token(dialect, { publish: ['*'] }))
    await close(closing, dialect)
    socket.write('topic=a')
    expect(await rest(socket)).toMatch(/^HTTP\/1.1 503 [\s\S]*\r\nRetry-After: 1\r\n/)
  })

  test('T4 a disconnected client receives nothing more, and uses no resources', async () => {
    const topic = fresh()
    const socket = connect({ port: server.process.port, host: '127.0.0.1', allowHalfOpen: true })
    onTestFinished(() => void socket.destroy())
    const query = form({ [dialect === '1.0' ? 'match' : 'topic']: topic })
    const { Authorization } = await rights()
    socket.write(`GET ${hubPath}?${query} HTTP/1.1\r\nHost: x\r\nAuthorization: ${Authorization}\r\n\r\n`)
    await once(socket, 'data')
    // Closes only the sending half: the client could still read.
    socket.end()
    let more = ''
    socket.on('data', (chunk: Buffer) => {
      more += chunk
    })
    await once(socket, 'end')
    const other = await server.follow(dialect, topic)
    const before = await counts(server, dialect)
    await server.publish(dialect, { topic, data: 'later' })
    expect(await other.received(1)).toEqual(['later'])
    expect([more, (await counts(server, dialect)).delivered]).toEqual(['', before.delivered + 1])
  })

  test('T5 an update with several matching topics arrives once', async () => {
    const topics = [fresh('a'), fresh('b'), fresh('c')]
    const both = await server.follow(dialect, [...topics, '*'])
    const alternate = await server.follow(dialect, topics[2] as string)
    const none = await server.follow(dialect, fresh())
    await server.publish(dialect, { topic: topics, data: 'once' })
    await server.publish(dialect, { topic: topics.toReversed(), data: 'again' })
    for (const client of [both, alternate]) {
      await client.received(2)
      expect(client.raw.match(/^data: /gm)).toHaveLength(2)
      expect(client.data).toEqual(['once', 'again'])
    }
    expect(none.data).toEqual([])
  })

  test('T6 connects, disconnects, publishes and deliveries are counted', async () => {
    const topic = fresh()
    const counting = await startKeyedServer()
    const clients = [await counting.follow(dialect, topic), await counting.follow(dialect, topic)]
    await publishAll(counting, dialect, topic, ['a', 'b', 'c'])
    for (const client of clients) await client.received(3)
    expect(await counts(counting, dialect)).toMatchObject({ subscribers: 2, published: 3, delivered: 6, head: 3 })
    clients[0]?.close()
    await expect.poll(async () => (await counts(counting, dialect)).subscribers).toBe(1)
    const { closes } = await counts(counting, dialect)
    expect(closes).toMatchObject([{ reason: 'client' }])
  })

  test('T6 requires permission to read /debug', async () => {
    const status = async (...subscribe: string[]) =>
      (await ask(`${server.url}/debug`, { headers: bearer(await token(dialect, { subscribe })) })).status
    expect([await status('/debug'), await status('*'), await status('/'), await status()]).toEqual([200, 200, 403, 403])
    expect((await ask(`${server.url}/debug`)).status).toBe(401)
  })
})

test('T3 a closing hub rejects a subscriber whose request completes during shutdown', async () => {
  const closing = await startKeyedProcess()
  const socket = await begin(closing, 'QUERY', await token('1.0', { subscribe: ['*'] }))
  await close(closing, '1.0')
  socket.write('match=a')
  expect(await rest(socket)).toMatch(/^HTTP\/1.1 503 [\s\S]*\r\nRetry-After: 1\r\n/)
})

/** Runs sequentially. */
async function publishAll(
  hub: MercureServer,
  dialect: Dialect,
  topic: string,
  texts: string[],
  padding = ''
): Promise<void> {
  const headers = bearer(await token(dialect, { publish: ['*'] }))
  for (const text of texts) {
    const { status } = await hub.publish(dialect, { topic, data: text + padding }, headers)
    expect(status).toBe(200)
  }
}

interface Counts {
  readonly subscribers: number
  readonly published: number
  readonly delivered: number
  readonly head: number
  readonly closes: readonly unknown[]
}

async function counts({ url }: MercureServer, dialect: Dialect): Promise<Counts> {
  const rights = bearer(await token(dialect, { subscribe: ['/debug'] }))
  return (await ask(`${url}/debug`, { headers: { ...rights, Accept: 'application/json' } })).json() as Counts
}

/** A request that the server has received, except for the seven bytes of its body. */
async function begin({ process }: MercureServer, method: string, token: string): Promise<Socket> {
  const socket = connect(process.port, '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  const type = 'Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 7\r\nExpect: 100-continue'
  socket.write(
    `${method} ${hubPath} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\n${type}\r\n\r\n`
  )
  await once(socket, 'data')
  return socket
}

/** Sends a signal to a server, and waits until shutdown has started. */
async function close(hub: MercureServer, dialect: Dialect): Promise<void> {
  const { Authorization } = bearer(await token(dialect, { subscribe: [] }))
  const stream = await listen(`${hub.hub}?${form({ [dialect === '1.0' ? 'match' : 'topic']: 'a' })}`, { Authorization })
  process.kill(hub.process.pid, 'SIGTERM')
  await stream.until(({ ended }) => ended)
}

async function rest(socket: Socket): Promise<string> {
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    text += chunk
  })
  await once(socket, 'close')
  return text
}

function once(socket: Socket, event: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once(event, () => resolve())
    socket.once('error', reject)
  })
}
