// The interface `StreamDurability` of TanStack AI: the same assertions with the package's own `memoryStream`, and with ours, on a hub.
import {
  memoryStream,
  resumeServerSentEventsResponse,
  type StreamChunk,
  toServerSentEventsResponse,
  type UpsertableStreamDurability
} from '@tanstack/ai'
import { createParser, type EventSourceMessage } from 'eventsource-parser'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createRuns, createStreamDurability, type DurabilitySource, runRetention } from '../../dist/ai/index.js'
import { createHub } from '../../dist/index.js'
import { serve } from '../support/http/http.ts'

type Durability = UpsertableStreamDurability
/** Makes the adapters of several requests. */
type Adapters = (source: DurabilitySource) => Durability

/** How long a reader waits for the first chunk of a run. */
interface Options {
  readonly firstChunkDeadlineMs: number
}

const kinds: Record<string, (options: Options) => Promise<Adapters>> = {
  memoryStream: (options) =>
    Promise.resolve((source) =>
      memoryStream(source instanceof Request ? source : { runId: source.runId, offset: source.offset ?? null }, options)
    ),
  'tidings, on a hub in this process': (options) => {
    const hub = createHub({ idempotent: 60_000, retention: runRetention })
    onTestFinished(() => hub.close())
    return Promise.resolve((source) => createStreamDurability<StreamChunk>(createRuns(hub), source, options))
  },
  'tidings, on a hub behind a URL': async (options) => {
    const { url } = await serve({ idempotent: 60_000, retention: runRetention })
    return (source) => createStreamDurability<StreamChunk>(createRuns(url), source, options)
  }
}

const chunk = (delta: string) => ({ type: 'TEXT_MESSAGE_CONTENT', messageId: 'm', delta }) as StreamChunk
const chunks = (...deltas: string[]) => deltas.map(chunk)
const deltaOf = (read: { chunk: StreamChunk }) => (read.chunk as unknown as { delta: string }).delta

async function readAll(stream: AsyncIterable<{ offset: string; chunk: StreamChunk }>): Promise<string[]> {
  const read: string[] = []
  for await (const entry of stream) read.push(deltaOf(entry))
  return read
}

/** The chunks of a response, with their ids. */
function eventsOf(text: string): { readonly id: string | undefined; readonly delta: string }[] {
  const events: EventSourceMessage[] = []
  createParser({ onEvent: (event) => events.push(event) }).feed(text)
  const chunks = events.map(({ id, data }) => ({ id, delta: (JSON.parse(data) as { delta?: string }).delta }))
  return chunks.filter((event): event is { id: string | undefined; delta: string } => event.delta !== undefined)
}

describe.each(Object.keys(kinds))('StreamDurability: %s', (kind) => {
  const open = (firstChunkDeadlineMs = 30_000) => (kinds[kind] as (typeof kinds)[string])({ firstChunkDeadlineMs })
  /** `memoryStream` keeps the runs of all tests. */
  const newRun = () => crypto.randomUUID()

  it('gives each chunk an offset, and replays what comes after it', async () => {
    const [adapters, runId] = [await open(), newRun()]
    const producer = adapters({ runId })
    expect(producer.resumeFrom()).toBeNull()
    const offsets = [...(await producer.append(chunks('a', 'b'))), ...(await producer.append(chunks('c')))]
    expect(new Set(offsets).size).toBe(3)
    await producer.close()
    expect(await readAll(adapters({ runId }).read('-1'))).toEqual(['a', 'b', 'c'])
    for (const [at, offset] of offsets.entries()) {
      const reader = adapters({ runId, offset })
      expect(reader.resumeFrom()).toBe(offset)
      expect(await readAll(reader.read(offset))).toEqual(['a', 'b', 'c'].slice(at + 1))
    }
    const read = []
    for await (const { offset } of adapters({ runId }).read('-1')) read.push(offset)
    expect(read).toEqual(offsets)
  })

  it('appends nothing for no chunks', async () => {
    const [adapters, runId] = [await open(), newRun()]
    const producer = adapters({ runId })
    expect(await producer.append([])).toEqual([])
    expect(await producer.snapshot()).toEqual([])
  })

  it('a reader follows until the run is closed', async () => {
    const [adapters, runId] = [await open(), newRun()]
    const producer = adapters({ runId })
    await producer.append(chunks('a'))
    const reader = adapters({ runId }).read('-1')[Symbol.asyncIterator]()
    expect(deltaOf((await reader.next()).value)).toBe('a')
    const next = reader.next()
    await producer.append(chunks('b'))
    expect(deltaOf((await next).value)).toBe('b')
    const end = reader.next()
    await producer.close()
    expect((await end).done).toBe(true)
  })

  it('a terminal chunk does not end the run', async () => {
    const [adapters, runId] = [await open(), newRun()]
    const producer = adapters({ runId })
    const finished = { type: 'RUN_FINISHED', runId, threadId: 't', delta: 'finished' } as unknown as StreamChunk
    await producer.append([finished, chunk('more')])
    await producer.close()
    expect(await readAll(adapters({ runId }).read('-1'))).toEqual(['finished', 'more'])
  })

  it('with `now`, a reader has only what comes later', async () => {
    const [adapters, runId] = [await open(), newRun()]
    const producer = adapters({ runId })
    await producer.append(chunks('a'))
    const reader = adapters({ runId }).read('now')[Symbol.asyncIterator]()
    let read: string | undefined
    const next = reader.next().then(({ value }) => {
      read = deltaOf(value)
    })
    // There is no event when the reader has found the end.
    while (read === undefined) {
      await producer.append(chunks('b'))
      await new Promise(setImmediate)
    }
    await next
    expect(read).toBe('b')
    await producer.close()
  })

  it('a reader may join before the first chunk', async () => {
    const [adapters, runId] = [await open(), newRun()]
    const reading = readAll(adapters({ runId }).read('-1'))
    const producer = adapters({ runId })
    await producer.append(chunks('a'))
    await producer.close()
    expect(await reading).toEqual(['a'])
  })

  it('refuses to wait for a run that does not begin, or that is unknown', async () => {
    const [adapters, runId] = [await open(200), newRun()]
    await expect(readAll(adapters({ runId }).read('-1'))).rejects.toThrow('200')
    const [offset] = await adapters({ runId: newRun() }).append(chunks('a'))
    const unknown = (offset as string).replace(/[0-9a-f-]{36}/, newRun())
    const other = (offset as string).match(/[0-9a-f-]{36}/)?.[0] as string
    const strange = unknown.match(/[0-9a-f-]{36}/)?.[0] as string
    await expect(readAll(adapters({ runId: strange }).read(unknown))).rejects.toThrow(/unknown/i)
    await expect(readAll(adapters({ runId: other }).read(unknown))).rejects.toThrow(/offset/)
  })

  it('the signal ends a reader without an error', async () => {
    const [adapters, runId] = [await open(), newRun()]
    await adapters({ runId }).append(chunks('a'))
    const controller = new AbortController()
    const reader = adapters({ runId }).read('-1', controller.signal)[Symbol.asyncIterator]()
    expect(deltaOf((await reader.next()).value)).toBe('a')
    const next = reader.next()
    controller.abort()
    expect((await next).done).toBe(true)
  })

  it('a snapshot does not wait, and is a copy', async () => {
    const [adapters, runId] = [await open(), newRun()]
    expect(await adapters({ runId }).snapshot()).toEqual([])
    const producer = adapters({ runId })
    const offsets = await producer.append(chunks('a', 'b'))
    const snapshot = await adapters({ runId }).snapshot()
    expect(snapshot).toEqual([
      { offset: offsets[0], chunk: chunk('a') },
      { offset: offsets[1], chunk: chunk('b') }
    ])
    snapshot.pop()
    expect(await producer.snapshot()).toHaveLength(2)
    await producer.close()
    expect(await producer.snapshot()).toHaveLength(2)
  })

  it('another producer appends after what the first one left behind', async () => {
    const [adapters, runId] = [await open(), newRun()]
    const first = await adapters({ runId }).append(chunks('a', 'b'))
    const next = adapters({ runId })
    expect((await next.snapshot()).map(deltaOf)).toEqual(['a', 'b'])
    const second = await next.append(chunks('c'))
    expect(first).not.toContain(second[0])
    await next.close()
    expect(await readAll(adapters({ runId }).read(first[1] as string))).toEqual(['c'])
  })

  it('upsert replaces what is stored at an offset, also repeatedly, and keeps the order', async () => {
    const [adapters, runId] = [await open(), newRun()]
    const producer = adapters({ runId })
    const offsets = await producer.append(chunks('a', 'b', 'c'))
    const [, b] = offsets as [string, string]
    const driver = adapters({ runId })
    for (const delta of ['B', 'BB', 'BB']) {
      expect(await driver.upsert([{ offset: b, chunk: chunk(delta) }])).toEqual([b])
    }
    expect((await driver.snapshot()).map(deltaOf)).toEqual(['a', 'BB', 'c'])
    expect((await driver.snapshot()).map(({ offset }) => offset)).toEqual(offsets)
    await driver.append(chunks('d'))
    await driver.close()
    expect(await readAll(adapters({ runId }).read('-1'))).toEqual(['a', 'BB', 'c', 'd'])
    expect(await readAll(adapters({ runId }).read(b))).toEqual(['c', 'd'])
  })

  it('upsert of what is stored already changes nothing for a reader', async () => {
    const [adapters, runId] = [await open(), newRun()]
    const producer = adapters({ runId })
    const offsets = await producer.append(chunks('a', 'b'))
    const reader = adapters({ runId }).read('-1')[Symbol.asyncIterator]()
    expect(deltaOf((await reader.next()).value)).toBe('a')
    const again = chunks('a', 'b').map((same, at) => ({ offset: offsets[at] as string, chunk: same }))
    expect(await producer.upsert(again)).toEqual(offsets)
    expect(deltaOf((await reader.next()).value)).toBe('b')
    await producer.append(chunks('c'))
    expect(deltaOf((await reader.next()).value)).toBe('c')
    await producer.close()
    expect((await reader.next()).done).toBe(true)
  })

  it('upsert appends at an offset after the last one', async () => {
    const [adapters, runId] = [await open(), newRun()]
    const producer = adapters({ runId })
    const [first] = await producer.append(chunks('a'))
    const later = (first as string).replace(/1$/, '7')
    expect(await producer.upsert([{ offset: later, chunk: chunk('x') }])).toEqual([later])
    const [next] = await producer.append(chunks('y'))
    expect((await producer.snapshot()).map(({ offset }) => offset)).toEqual([first, later, next])
  })

  it('upsert refuses the whole batch for one wrong entry', async () => {
    const [adapters, runId] = [await open(), newRun()]
    const producer = adapters({ runId })
    const [a, b] = (await producer.append(chunks('a', 'b'))) as [string, string]
    const good = { offset: a, chunk: chunk('A') }
    const hole = [good, { offset: b, chunk: chunk('B') }]
    delete hole[1]
    const [other] = (await adapters({ runId: newRun() }).append(chunks('o'))) as [string]
    const later = b.replace(/2$/, '9')
    const wrong = [
      [good, { offset: 'mine', chunk: chunk('x') }],
      [good, { offset: other, chunk: chunk('x') }],
      [good, { offset: a, chunk: chunk('x') }],
      [good, { offset: later, chunk: chunk('x') }, { offset: later.replace(/9$/, '8'), chunk: chunk('x') }],
      hole
    ]
    for (const batch of wrong) await expect(producer.upsert(batch)).rejects.toThrow()
    expect((await producer.snapshot()).map(deltaOf)).toEqual(['a', 'b'])
  })

  it('reads the run and the offset from a request', async () => {
    const [adapters, runId] = [await open(), newRun()]
    const url = 'http://app.example/chat'
    const producer = adapters(new Request(url, { method: 'POST', headers: { 'X-Run-Id': runId } }))
    expect(producer.resumeFrom()).toBeNull()
    const [a] = (await producer.append(chunks('a', 'b'))) as [string]
    await producer.close()
    const byHeader = adapters(new Request(url, { headers: { 'Last-Event-ID': a } }))
    expect(byHeader.resumeFrom()).toBe(a)
    expect(await readAll(byHeader.read(a))).toEqual(['b'])
    const byQuery = adapters(new Request(`${url}?offset=${encodeURIComponent(a)}`))
    expect(await readAll(byQuery.read(byQuery.resumeFrom() as string))).toEqual(['b'])
    const joining = adapters(new Request(`${url}?runId=${runId}&offset=-1`))
    expect(await readAll(joining.read(joining.resumeFrom() as string))).toEqual(['a', 'b'])
    // A request that names none is a new run.
    expect(await adapters(new Request(url)).snapshot()).toEqual([])
  })

  it('serves the responses of the package: a client that is cut resumes after its last event', async () => {
    const [adapters, runId] = [await open(), newRun()]
    const request = (headers: Record<string, string>) => new Request('http://app.example/chat', { headers })
    async function* answer() {
      for (const delta of ['a', 'b', 'c']) yield chunk(delta)
      await Promise.resolve()
    }
    const durability = { adapter: adapters(request({ 'X-Run-Id': runId })) }
    const events = eventsOf(await toServerSentEventsResponse(answer(), { durability }).text())
    expect(events.map(({ delta }) => delta)).toEqual(['a', 'b', 'c'])
    const adapter = adapters(request({ 'Last-Event-ID': events[0]?.id as string }))
    const resumed = eventsOf(await resumeServerSentEventsResponse({ adapter }).text())
    expect(resumed).toEqual(events.slice(1))
  })

  it('closing twice is no error', async () => {
    const [adapters, runId] = [await open(), newRun()]
    const producer = adapters({ runId })
    await producer.append(chunks('a'))
    await producer.close()
    await producer.close()
    await adapters({ runId }).close()
    expect(await readAll(adapters({ runId }).read('-1'))).toEqual(['a'])
  })
})
