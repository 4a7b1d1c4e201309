// Runs on a hub in this process and on one behind a URL: written once, read by anyone, stopped from anywhere.
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  createRuns,
  type RunChunk,
  type Runs,
  type RunsHub,
  type RunsOptions,
  runRetention
} from '../../dist/ai/index.js'
import { createHub, type Hub, TidingsError } from '../../dist/index.js'
import { TestSource } from '../support/ai/source.ts'
import { serve } from '../support/http/http.ts'
import { listen } from '../support/http/sse-client.ts'

const places = ['a hub in this process', 'a hub behind a URL'] as const

/** A hub, and runs of several processes on it. */
async function open(place: (typeof places)[number], options: RunsOptions = {}) {
  const { hub, url } = await serve({ idempotent: 60_000, retention: runRetention })
  const other = (more: RunsOptions = {}): Runs => {
    const runs = createRuns(place === 'a hub in this process' ? hub : url, { ...options, ...more })
    onTestFinished(() => runs.close())
    return runs
  }
  return { hub, url, runs: other(), other }
}

async function readAll(chunks: AsyncIterable<RunChunk>): Promise<string[]> {
  const read: string[] = []
  for await (const { data } of chunks) read.push(data)
  return read
}

/** The number of appends, and of updates, of the chunks of a run. */
function countAppends(hub: Hub, topic: string) {
  const appends: number[] = []
  const publishValid = hub.publishValid.bind(hub)
  hub.publishValid = (updates, options) => {
    if (updates[0]?.topics[0] === topic) appends.push(updates.length)
    return publishValid(updates, options)
  }
  return appends
}

const numbers = (count: number) => Array.from({ length: count }, (_, n) => ({ n }))
const texts = (count: number) => numbers(count).map((value) => JSON.stringify(value))

describe.each(places)('runs on %s', (place) => {
  it('has every chunk, in order, for readers before, during and after the run', async () => {
    const { runs, other } = await open(place)
    const source = new TestSource()
    const early = readAll(other().read('r'))
    const writing = runs.write('r', source)
    source.push(...numbers(10))
    const during = other().read('r')
    const first = (await during.next()).value as RunChunk
    expect(first.data).toBe('{"n":0}')
    source.push({ last: true })
    source.end()
    expect(await writing).toEqual({ status: 'done' })
    const all = [...texts(10), '{"last":true}']
    expect(await early).toEqual(all)
    expect([first.data, ...(await readAll(during))]).toEqual(all)
    expect(await readAll(other().read('r'))).toEqual(all)
    expect(await readAll(other().read('r', { from: first.id }))).toEqual(all.slice(1))
  })

  it('reads an event stream, as text or bytes that are cut anywhere', async () => {
    const { runs } = await open(place)
    const text = 'data: {"a":"é"}\n\nevent: tool\ndata: 1\ndata: 2\n\n: comment\n\ndata: [DONE]\n\n'
    const bytes = new TextEncoder().encode(text)
    const sources: Record<string, ReadableStream> = {
      text: streamOf(...text),
      bytes: streamOf(...[...bytes].map((byte) => Uint8Array.of(byte)))
    }
    for (const [runId, source] of Object.entries(sources)) {
      expect(await runs.write(runId, source)).toEqual({ status: 'done' })
      const read = []
      for await (const { data, type } of runs.read(runId)) read.push([type, data])
      expect(read).toEqual([
        ['message', '{"a":"é"}'],
        ['tool', '1\n2']
      ])
    }
  })

  it('refuses text that is no event stream, unless the format is given', async () => {
    const { runs } = await open(place)
    const words = ['Hello', ' world']
    const refused = await runs.write('a', streamOf(...words))
    expect(refused).toMatchObject({ status: 'error', error: expect.any(TypeError) })
    expect(await runs.write('b', streamOf(...words), { format: 'values' })).toEqual({ status: 'done' })
    expect(await readAll(runs.read('b'))).toEqual(words)
  })

  it('gets the status', async () => {
    const { runs, other } = await open(place)
    const source = new TestSource()
    expect(await other().status('r')).toBe('none')
    const writing = runs.write('r', source)
    await expect.poll(() => other().status('r')).toBe('running')
    source.end()
    await writing
    expect(await other().status('r')).toBe('done')
  })

  it('is running from its beginning on, before it is written', async () => {
    const { runs, other } = await open(place)
    await runs.begin('r')
    expect(await other().status('r')).toBe('running')
    await expect(runs.begin('r')).rejects.toMatchObject({ code: 'exists' })
    await expect(other().begin('r')).rejects.toMatchObject({ code: 'exists' })
    const source = new TestSource()
    source.push({ n: 0 })
    source.end()
    expect(await runs.write('r', source)).toEqual({ status: 'done' })
    expect(await readAll(other().read('r'))).toEqual(['{"n":0}'])
    await expect(runs.begin('r')).rejects.toMatchObject({ code: 'exists' })
  })

  it('ends with an error when the source fails', async () => {
    const { runs, other } = await open(place)
    const source = new TestSource()
    const error = new Error('the model failed')
    source.push({ n: 0 })
    source.fail(error)
    expect(await runs.write('r', source)).toEqual({ status: 'error', error })
    expect(await other().status('r')).toBe('error')
    const chunks = other().read('r')
    expect((await chunks.next()).value).toMatchObject({ data: '{"n":0}' })
    await expect(chunks.next()).rejects.toMatchObject({ name: 'RunError', code: 'failed' })
  })

  it('is stopped by another process: the signal is aborted, and the source has time to end', async () => {
    const { runs, other } = await open(place)
    const source = new TestSource()
    const signal = runs.signal('r')
    signal.addEventListener('abort', () => {
      source.push({ aborted: true })
      source.end()
    })
    const writing = runs.write('r', source)
    source.push({ n: 0 })
    await expect.poll(() => other().status('r')).toBe('running')
    await other().stop('r')
    expect(await writing).toEqual({ status: 'stopped' })
    expect(signal.reason).toMatchObject({ name: 'RunError', code: 'stopped' })
    expect(await readAll(other().read('r'))).toEqual(['{"n":0}', '{"aborted":true}'])
    expect(await other().status('r')).toBe('stopped')
    // Once more is no error, and changes nothing.
    await other().stop('r')
    expect(await other().status('r')).toBe('stopped')
  })

  it('is stopped although the source does not care', async () => {
    const { runs, other } = await open(place)
    const source = new TestSource()
    const writing = runs.write('r', source)
    await expect.poll(() => other().status('r')).toBe('running')
    await other().stop('r')
    expect(await writing).toEqual({ status: 'stopped' })
    expect(source.isCancelled).toBe(true)
  })

  it('is stopped by a request that came before the writer', async () => {
    const { runs, other } = await open(place)
    await other().stop('r')
    expect(await runs.write('r', new TestSource())).toEqual({ status: 'stopped' })
  })

  it('is stopped by a request between its beginning and the writer', async () => {
    const { runs, other } = await open(place)
    await runs.begin('r')
    const signal = runs.signal('r')
    await other().stop('r')
    await expect.poll(() => signal.aborted).toBe(true)
    const source = new TestSource()
    source.end()
    expect(await runs.write('r', source)).toEqual({ status: 'stopped' })
    await expect(other().begin('r')).rejects.toMatchObject({ code: 'stopped' })
  })

  it('ends with an error when it has begun and is never written', async () => {
    const { runs, other } = await open(place)
    await runs.begin('r')
    await runs.fail('r', { error: 'the model refused' })
    expect(await other().status('r')).toBe('error')
    expect((await runs.write('r', new TestSource())).error).toMatchObject({ code: 'exists' })
  })

  it('has one writer', async () => {
    const { runs, other } = await open(place)
    const [source, late] = [new TestSource(), new TestSource()]
    const exists = { status: 'error', error: { code: 'exists' } }
    const writing = runs.write('r', source)
    expect(await runs.write('r', late)).toMatchObject(exists)
    await expect.poll(() => other().status('r')).toBe('running')
    const second = other()
    const signal = second.signal('r')
    expect(await second.write('r', late)).toMatchObject(exists)
    expect(signal.aborted).toBe(true)
    source.push({ n: 0 })
    source.end()
    expect(await writing).toEqual({ status: 'done' })
    expect(await other().write('r', late)).toMatchObject(exists)
    expect(await readAll(other().read('r'))).toEqual(['{"n":0}'])
  })

  it('has one writer, also if many begin in the same moment', async () => {
    const { other } = await open(place)
    const sources = Array.from({ length: 8 }, () => new TestSource())
    const outcomes = Promise.all(
      sources.map((source, n) => {
        source.push({ n }, { n })
        source.end()
        return other().write('r', source)
      })
    )
    const statuses = (await outcomes).map(({ status }) => status)
    expect(statuses.filter((status) => status === 'done')).toHaveLength(1)
    const winner = JSON.stringify({ n: statuses.indexOf('done') })
    expect(await readAll(other().read('r'))).toEqual([winner, winner])
  })

  it('can be continued by another writer, which the first one notices', async () => {
    const { runs, other } = await open(place)
    const [old, fresh] = [new TestSource(), new TestSource()]
    const before = runs.write('r', old)
    const signal = runs.signal('r')
    old.push({ n: 0 })
    const reading = other().read('r')
    expect((await reading.next()).value).toMatchObject({ data: '{"n":0}' })
    const after = other().write('r', fresh, { continue: true })
    fresh.push({ n: 1 })
    expect((await reading.next()).value).toMatchObject({ data: '{"n":1}' })
    old.push({ lost: true })
    expect(await before).toMatchObject({ status: 'error', error: { code: 'taken_over' } })
    expect(signal.aborted).toBe(true)
    fresh.push({ n: 2 })
    fresh.end()
    expect(await after).toEqual({ status: 'done' })
    expect(await readAll(reading)).toEqual(['{"n":2}'])
  })

  it('is an error once its writer is gone, for its status and its readers; and can be ended then', async () => {
    const { hub, url, other } = await open(place, { leaseMs: 300 })
    const writer = cuttableRuns(place, hub, url, { leaseMs: 300 })
    const source = new TestSource()
    const writing = writer.runs.write('r', source)
    source.push({ n: 0 })
    const failing = readAll(other().read('r')).catch((error: unknown) => error)
    // A writer that waits for its model is alive.
    const signs = async () => (await hub.history({ topics: ['runs/r/state'], last: 100 })).updates.length
    await expect.poll(async () => [(await signs()) > 5, await other().status('r')]).toEqual([true, 'running'])
    writer.cut()
    expect(await failing).toMatchObject({ name: 'RunError', code: 'interrupted' })
    expect(await other().status('r')).toBe('error')
    const reading = await listen(`${url}/subscribe?topic=runs/r&last_event_id=earliest`)
    await other().fail('r', { error: 'try again' })
    await reading.until(({ ended }) => ended)
    expect(reading.data).toEqual(['{"n":0}', '{"error":"try again"}', '[DONE]'])
    source.push({ late: true })
    writer.reconnect()
    expect(await writing).toMatchObject({ status: 'error', error: { code: 'taken_over' } })
    expect((await other().write('r', new TestSource())).error).toMatchObject({ code: 'exists' })
  })

  it('appends the chunks of 50 ms together, and the first at once', async () => {
    const { hub, runs } = await open(place)
    const appends = countAppends(hub, 'runs/r')
    const source = new TestSource()
    const writing = runs.write('r', source)
    source.push(...numbers(500))
    await expect.poll(() => source.taken).toBe(500)
    source.push(...numbers(500))
    source.end()
    await writing
    expect(await readAll(runs.read('r'))).toEqual([...texts(500), ...texts(500)])
    // The first chunk, everything else, and the end.
    expect(appends.length).toBeLessThanOrEqual(6)
    expect(appends.reduce((sum, count) => sum + count, 0)).toBe(1_001)
  })

  it('does not read far ahead of the hub', async () => {
    const { hub, runs } = await open(place)
    let isHeld = true
    let release = () => {}
    const publishValid = hub.publishValid.bind(hub)
    hub.publishValid = async (updates, options) => {
      if (isHeld && updates[0]?.topics[0] === 'runs/r') await new Promise<void>((resolve) => (release = resolve))
      return publishValid(updates, options)
    }
    const source = new TestSource()
    source.push(...Array.from({ length: 100 }, () => 'x'.repeat(10_000)))
    source.end()
    const writing = runs.write('r', source, { format: 'values' })
    await expect.poll(() => source.taken).toBeGreaterThan(10)
    expect(source.taken).toBeLessThan(30)
    isHeld = false
    release()
    expect(await writing).toEqual({ status: 'done' })
    expect(await readAll(runs.read('r'))).toHaveLength(100)
  })

  it('ends with an error when the hub refuses a chunk, without a hole', async () => {
    const { hub, runs } = await open(place)
    const publishValid = hub.publishValid.bind(hub)
    hub.publishValid = (updates, options) => {
      const isBad = updates.some(({ data }) => data.includes('bad'))
      return isBad ? Promise.reject(new TidingsError('not_granted')) : publishValid(updates, options)
    }
    const source = new TestSource()
    const writing = runs.write('r', source)
    source.push({ n: 0 })
    await expect.poll(async () => (await hub.history({ topics: ['runs/r'], last: 5 })).updates.length).toBe(1)
    source.push({ bad: true })
    source.push({ n: 2 })
    expect(await writing).toMatchObject({ status: 'error', error: { code: 'not_granted' } })
    const read = readAll(runs.read('r'))
    await expect(read).rejects.toMatchObject({ code: 'failed' })
    const { updates } = await hub.history({ topics: ['runs/r'], last: 5 })
    expect(updates.map(({ update }) => update.data)).toEqual(['{"n":0}', '[DONE]'])
  })

  it('ends a read with its signal, and waits for a run that has not begun', async () => {
    const { hub, other } = await open(place)
    const controller = new AbortController()
    const reading = readAll(other().read('r', { signal: controller.signal }))
    await expect.poll(() => hub.subscribers.size).toBe(1)
    controller.abort()
    expect(await reading).toEqual([])
    await expect.poll(() => hub.subscribers.size).toBe(0)
    expect(await readAll(other().read('r', { signal: AbortSignal.abort() }))).toEqual([])
  })

  it('reports chunks that the hub no longer has', async () => {
    const { runs } = await open(place)
    const source = new TestSource()
    source.push({ n: 0 })
    source.end()
    await runs.write('r', source)
    await expect(readAll(runs.read('r', { from: '#0-1' }))).rejects.toMatchObject({ code: 'incomplete' })
  })

  it('accepts any text as the id of a run', async () => {
    const { runs, other } = await open(place)
    const id = "é/ {x}*!'()~%"
    const writing = runs.write(id, new TestSource())
    await expect.poll(() => other().status(id)).toBe('running')
    await other().stop(id)
    expect(await writing).toEqual({ status: 'stopped' })
    await expect(runs.write('', new TestSource())).rejects.toThrow(TypeError)
    await expect(runs.status('x'.repeat(500))).rejects.toThrow(TypeError)
  })

  it('uses one subscription for the stops of all runs, and leaves it after close', async () => {
    const { hub, runs } = await open(place)
    const sources = Array.from({ length: 20 }, () => new TestSource())
    const writing = Promise.all(sources.map((source, n) => runs.write(`r${n}`, source)))
    await expect.poll(() => hub.subscribers.size).toBe(1)
    for (const source of sources) source.end()
    expect((await writing).map(({ status }) => status)).toEqual(sources.map(() => 'done'))
    expect(hub.subscribers.size).toBe(1)
    runs.close()
    await expect.poll(() => hub.subscribers.size).toBe(0)
  })
})

it('a hub that does not recognize repeated updates is refused', async () => {
  const hub = createHub()
  onTestFinished(() => hub.close())
  expect(() => createRuns(hub)).toThrow(expect.objectContaining({ code: 'not_idempotent' }))
  const { url } = await serve()
  const outcome = await createRuns(url).write('r', new TestSource())
  expect(outcome).toMatchObject({ status: 'error', error: { code: 'not_idempotent' } })
})

function streamOf(...values: unknown[]): ReadableStream {
  return new ReadableStream({
    start(controller) {
      for (const value of values) controller.enqueue(value)
      controller.close()
    }
  })
}

/** The runs of a process that can be cut off from the hub, so that it can append nothing any more. */
function cuttableRuns(place: (typeof places)[number], hub: Hub, url: string, options: RunsOptions) {
  let isCut = false
  let reconnect = () => {}
  const reconnected = new Promise<void>((resolve) => {
    reconnect = resolve
  })
  const cuttableFetch: typeof fetch = async (input, init) => {
    if (isCut && String(input).endsWith('/publish')) await reconnected
    return fetch(input, init)
  }
  const cuttableHub: RunsHub = {
    publishAll: async (updates, publishOptions) => {
      if (isCut) await reconnected
      return hub.publishAll(updates, publishOptions)
    },
    history: (request) => hub.history(request),
    delete: (target) => hub.delete(target),
    subscribe: (subscribeOptions) => hub.subscribe(subscribeOptions),
    lastEventId: hub.lastEventId,
    idempotent: hub.idempotent
  }
  const runs = createRuns(place === 'a hub in this process' ? cuttableHub : url, { ...options, fetch: cuttableFetch })
  onTestFinished(() => runs.close())
  return {
    runs,
    cut: () => {
      isCut = true
    },
    reconnect
  }
}
