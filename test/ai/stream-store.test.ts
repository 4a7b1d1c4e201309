// The interface `ResumableStreamStore` of assistant-ui: the same assertions with the package's own store in memory, and with ours, on a hub.
import {
  createInMemoryResumableStreamStore,
  createResumableAssistantStreamResponse,
  createResumableStreamContext,
  createResumeAssistantStreamResponse,
  type ResumableStreamAcquireOptions,
  type ResumableStreamEntry,
  type ResumableStreamLease,
  type ResumableStreamStore
} from 'assistant-stream/resumable'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createResumableStreamStore, createRuns, type Runs, type RunsHub, runRetention } from '../../dist/ai/index.js'
import { createHub } from '../../dist/index.js'
import { serve } from '../support/http/http.ts'

type Store = ResumableStreamStore & Required<Pick<ResumableStreamStore, 'acquireLease'>>
/** Makes the stores of several processes. */
type Stores = () => Store

const hubOptions = { idempotent: 60_000, retention: runRetention }

function runsOn(hub: RunsHub | string, options = {}): Runs {
  const runs = createRuns(hub, options)
  onTestFinished(() => runs.close())
  return runs
}

function openHub() {
  const hub = createHub(hubOptions)
  onTestFinished(() => hub.close())
  return hub
}

const kinds: Record<string, () => Promise<Stores>> = {
  'in memory': () => {
    const store = createInMemoryResumableStreamStore()
    onTestFinished(() => store.dispose())
    return Promise.resolve(() => store as Store)
  },
  'tidings, on a hub in this process': () => {
    const hub = openHub()
    return Promise.resolve(() => createResumableStreamStore(runsOn(hub)))
  },
  'tidings, on a hub behind a URL': async () => {
    const { url } = await serve(hubOptions, { allowDelete: true })
    return () => createResumableStreamStore(runsOn(url))
  }
}

const bytes = (text: string) => new TextEncoder().encode(text)
const textOf = (chunk: Uint8Array) => new TextDecoder().decode(chunk)
const never = new AbortController().signal
const start = (store: Store, id = 's') => store.read(id, '', never)[Symbol.asyncIterator]()

async function readAll(entries: AsyncIterable<ResumableStreamEntry>): Promise<string[]> {
  const read: string[] = []
  for await (const { chunk } of entries) read.push(textOf(chunk))
  return read
}

async function lease(store: Store, options?: ResumableStreamAcquireOptions): Promise<ResumableStreamLease> {
  const acquisition = await store.acquireLease('s', options)
  if (acquisition.role !== 'producer') throw new Error('somebody else is the producer')
  return acquisition.lease
}

describe.each(Object.keys(kinds))('ResumableStreamStore: %s', (kind) => {
  const open = kinds[kind] as () => Promise<Stores>

  it('elects one producer, also after the end', async () => {
    const stores = await open()
    const candidates = [stores(), stores(), stores()]
    const roles = await Promise.all(candidates.map((store) => store.acquire('s')))
    expect(roles.toSorted()).toEqual(['consumer', 'consumer', 'producer'])
    const producer = candidates[roles.indexOf('producer')] as Store
    await producer.finalize('s', 'done')
    expect(await producer.acquire('s')).toBe('consumer')
    expect(await stores().acquireLease('s')).toEqual({ role: 'consumer' })
    expect(await stores().acquire('other')).toBe('producer')
  })

  it('elects one of several that ask the same store at once, and the others find the stream', async () => {
    const store = (await open())()
    const acquire = async () => ({ role: await store.acquire('s'), status: await store.status('s') })
    const all = await Promise.all([acquire(), acquire(), acquire()])
    expect(all.map(({ role }) => role).toSorted()).toEqual(['consumer', 'consumer', 'producer'])
    expect(all.map(({ status }) => status)).toEqual(['streaming', 'streaming', 'streaming'])
  })

  it('is missing, streaming, and then done or error', async () => {
    const stores = await open()
    const store = stores()
    expect(await store.status('s')).toBe('missing')
    for (const [id, status] of [
      ['s', 'done'],
      ['t', 'error']
    ] as const) {
      await store.acquire(id)
      expect(await stores().status(id)).toBe('streaming')
      await store.finalize(id, status, 'boom')
      expect(await stores().status(id)).toBe(status)
    }
  })

  it('replays, and then follows until the end', async () => {
    const stores = await open()
    const store = stores()
    await store.acquire('s')
    await store.append('s', bytes('hello '))
    const reader = start(stores())
    expect(textOf((await reader.next()).value.chunk)).toBe('hello ')
    const next = reader.next()
    await store.append('s', bytes('world'))
    expect(textOf((await next).value.chunk)).toBe('world')
    const end = reader.next()
    await store.finalize('s', 'done')
    expect((await end).done).toBe(true)
    expect(await readAll(stores().read('s', '', never))).toEqual(['hello ', 'world'])
  })

  it('continues after each cursor', async () => {
    const stores = await open()
    const store = stores()
    await store.acquire('s')
    for (const text of ['1', '2', '3']) await store.append('s', bytes(text))
    await store.finalize('s', 'done')
    const cursors: string[] = []
    for await (const { cursor } of stores().read('s', '', never)) cursors.push(cursor)
    for (const [at, cursor] of cursors.entries()) {
      expect(await readAll(stores().read('s', cursor, never))).toEqual(['1', '2', '3'].slice(at + 1))
    }
  })

  it('keeps every byte, and copies them', async () => {
    const stores = await open()
    const store = stores()
    const all = Uint8Array.from({ length: 256 }, (_, byte) => byte)
    const chunks = [
      all,
      bytes('a\r\nb\n\n'),
      new Uint8Array(0),
      new Uint8Array(100_000).fill(255),
      all.subarray(200, 210),
      bytes('🙂').slice(0, 2)
    ]
    const expected = chunks.map((chunk) => [...chunk])
    await store.acquire('s')
    for (const chunk of chunks) await store.append('s', chunk)
    all.fill(0)
    await store.finalize('s', 'done')
    for (const _ of [1, 2]) {
      const read: number[][] = []
      for await (const { chunk } of stores().read('s', '', never)) {
        read.push([...chunk])
        chunk.fill(0)
      }
      expect(read).toEqual(expected)
    }
  })

  it('an error comes after the chunks, with its reason', async () => {
    const stores = await open()
    const store = stores()
    await store.acquire('s')
    await store.append('s', bytes('partial'))
    const waiting = start(stores())
    await waiting.next()
    const failed = expect(waiting.next()).rejects.toThrow('boom\nbang')
    await store.finalize('s', 'error', 'boom\nbang')
    await failed
    const later = start(stores())
    expect(textOf((await later.next()).value.chunk)).toBe('partial')
    await expect(later.next()).rejects.toThrow('boom\nbang')
    await store.acquire('t')
    await store.finalize('t', 'error')
    await expect(readAll(stores().read('t', '', never))).rejects.toThrow('Stream errored')
  })

  it('the signal ends a reader without an error, also before a stored one', async () => {
    const stores = await open()
    const store = stores()
    await store.acquire('s')
    await store.append('s', bytes('a'))
    const [first, second] = [new AbortController(), new AbortController()]
    const reader = stores().read('s', '', first.signal)[Symbol.asyncIterator]()
    await reader.next()
    const next = reader.next()
    first.abort()
    expect((await next).done).toBe(true)
    await store.finalize('s', 'error', 'boom')
    const seen: string[] = []
    for await (const { chunk } of stores().read('s', '', second.signal)) {
      seen.push(textOf(chunk))
      second.abort()
    }
    expect(seen).toEqual(['a'])
  })

  it('only the first end counts', async () => {
    const stores = await open()
    const store = stores()
    const own = await lease(store)
    expect(await store.finalize('s', 'done', undefined, own)).toBe(true)
    expect(await store.finalize('s', 'error', 'late', own)).toBe(false)
    expect(await stores().finalize('s', 'error')).toBe(false)
    expect(await store.status('s')).toBe('done')
    await expect(store.append('s', bytes('late'), own)).rejects.toMatchObject({ code: 'finalized' })
    await expect(store.append('s', bytes('late'))).rejects.toThrow(/already finalized/)
  })

  it('without a lease, another process ends a stream', async () => {
    const stores = await open()
    const store = stores()
    await store.acquire('s')
    await store.append('s', bytes('a'))
    expect(await stores().finalize('s', 'error', 'given up')).toBe(true)
    await expect(store.append('s', bytes('b'))).rejects.toMatchObject({ code: 'finalized' })
    expect(await store.finalize('s', 'done')).toBe(false)
    await expect(readAll(store.read('s', '', never))).rejects.toThrow('given up')
  })

  it('refuses streams that are missing, and invalid ids', async () => {
    const store = (await open())()
    await expect(store.append('s', bytes('x'))).rejects.toThrow(/Stream not found/)
    await expect(store.finalize('s', 'done')).rejects.toThrow(/Stream not found/)
    await expect(readAll(store.read('s', '', never))).rejects.toThrow(/Stream not found/)
    await store.delete('s')
    expect(await store.status('s')).toBe('missing')
    for (const id of ['', 'a/b', 'x'.repeat(257)]) {
      await expect(store.acquire(id)).rejects.toMatchObject({ code: 'invalid-id' })
      await expect(store.status(id)).rejects.toMatchObject({ code: 'invalid-id' })
      await expect(readAll(store.read(id, '', never))).rejects.toMatchObject({ code: 'invalid-id' })
    }
    expect(await store.acquire('A-z_0.9:1')).toBe('producer')
  })

  it('a deletion ends readers, with and without a chunk, and the producer', async () => {
    const stores = await open()
    const store = stores()
    await store.acquire('s')
    const empty = readAll(stores().read('s', '', never))
    const reader = start(stores())
    const first = reader.next()
    await store.append('s', bytes('x'))
    await first
    const end = reader.next()
    await stores().delete('s')
    expect((await end).done).toBe(true)
    expect(await empty).toEqual(['x'])
    expect(await stores().status('s')).toBe('missing')
    await expect(readAll(stores().read('s', '', never))).rejects.toThrow(/Stream not found/)
    await expect(store.append('s', bytes('y'))).rejects.toThrow(/Stream not found/)
    await expect(store.finalize('s', 'done')).rejects.toThrow(/Stream not found/)
  })

  it('a stream that was deleted begins again, without its old producer', async () => {
    const stores = await open()
    const store = stores()
    const old = await lease(store)
    await store.append('s', bytes('stale'), old)
    for (const text of ['fresh', 'fresher']) {
      await store.delete('s')
      const own = await lease(store)
      expect(await stores().acquire('s')).toBe('consumer')
      await store.append('s', bytes(text), own)
      await expect(store.append('s', bytes('stale'), old)).rejects.toMatchObject({ code: 'missing' })
      expect(await store.finalize('s', 'done', undefined, old)).toBe(false)
      expect(await stores().status('s')).toBe('streaming')
      expect(await store.finalize('s', 'done', undefined, own)).toBe(true)
      expect(await readAll(stores().read('s', '', never))).toEqual([text])
    }
  })

  it('serves the context and the responses of the package', async () => {
    const stores = await open()
    const contexts = () => createResumableStreamContext({ store: stores() })
    let finish = () => {}
    const finished = new Promise<void>((resolve) => {
      finish = resolve
    })
    const response = await createResumableAssistantStreamResponse({
      context: contexts(),
      streamId: 's',
      callback: async (controller) => {
        controller.appendText('Hello')
        await finished
        controller.appendText(', world')
      }
    })
    const resumed = await createResumeAssistantStreamResponse({ context: contexts(), streamId: 's' })
    finish()
    const text = await response.text()
    expect(text).toContain('Hello')
    expect(text).toContain(', world')
    expect(await resumed.text()).toBe(text)
    const later = await contexts().requireResume('s')
    expect(await new Response(later).text()).toBe(text)
    expect(await contexts().resume('unknown')).toBeNull()
  })

  it('the error of a source reaches the readers of the context', async () => {
    const stores = await open()
    // The package reports that a source that has failed cannot be cancelled.
    vi.spyOn(console, 'error').mockImplementation(() => {})
    onTestFinished(() => void vi.restoreAllMocks())
    const source = () => new ReadableStream<Uint8Array>({ pull: () => Promise.reject(new Error('the model is gone')) })
    const stream = await createResumableStreamContext({ store: stores() }).run('s', source)
    await expect(new Response(stream).text()).rejects.toThrow('the model is gone')
    expect(await stores().status('s')).toBe('error')
  })
})

describe('ResumableStreamStore on runs', () => {
  it('a request to stop ends the stream, and cancels the source at its next chunk', async () => {
    const hub = openHub()
    const store = createResumableStreamStore(runsOn(hub))
    let push = (_text: string) => {}
    const cancelled = new Promise<unknown>((resolve) => {
      const source = new ReadableStream<Uint8Array>({
        start(controller) {
          push = (text) => controller.enqueue(bytes(text))
        },
        cancel: resolve
      })
      void createResumableStreamContext({ store })
        .run('s', () => source)
        .catch(resolve)
    })
    await expect.poll(() => store.status('s')).toBe('streaming')
    push('a')
    const reader = start(store)
    expect(textOf((await reader.next()).value.chunk)).toBe('a')
    const end = reader.next()
    await runsOn(hub).stop('s')
    expect((await end).done).toBe(true)
    push('b')
    expect(await cancelled).toMatchObject({ code: 'stopped' })
    expect(await store.status('s')).toBe('done')
  })

  it('a stream that was stopped before it began has no producer', async () => {
    const runs = runsOn(openHub())
    await runs.stop('s')
    const store = createResumableStreamStore(runs)
    expect(await store.acquire('s')).toBe('consumer')
    expect(await readAll(store.read('s', '', never))).toEqual([])
  })

  it('a quiet producer is alive, until `ttlMs`', async () => {
    const hub = openHub()
    const store = createResumableStreamStore(runsOn(hub, { leaseMs: 1_000 }))
    const states = hub.subscribe({ topics: ['runs/s/state'], from: 'earliest' })
    await lease(store)
    for (let count = 0; count < 5; count++) await states.next()
    expect(await store.status('s')).toBe('streaming')
    await states.return()
    const other = createResumableStreamStore(runsOn(hub, { leaseMs: 300 }))
    expect(await other.acquire('gone', { ttlMs: 0 })).toBe('producer')
    await other.append('gone', bytes('a'))
    const reader = start(other, 'gone')
    await reader.next()
    await expect(reader.next()).rejects.toMatchObject({ code: 'interrupted' })
    expect(await other.status('gone')).toBe('error')
  })

  it.each(['this process', 'a URL'])('a deletion on the hub itself ends readers (%s)', async (place) => {
    const { hub, url } = await serve(hubOptions)
    const runs = runsOn(place === 'a URL' ? url : hub)
    const store = createResumableStreamStore(runs)
    await store.acquire('s')
    await store.acquire('empty')
    await store.append('s', bytes('a'))
    const [reader, plain] = [start(store), runs.read('s')]
    await reader.next()
    await plain.next()
    const [end, plainEnd] = [reader.next(), expect(plain.next()).rejects.toMatchObject({ code: 'deleted' })]
    const { subscribers } = hub.status
    const empty = readAll(store.read('empty', '', never))
    await expect.poll(() => hub.status.subscribers).toBe(subscribers + 1)
    for (const id of ['s', 'empty']) await hub.delete({ topics: [`runs/${id}`, `runs/${id}/state`] })
    expect((await end).done).toBe(true)
    await plainEnd
    expect(await empty).toEqual([])
    expect(await store.status('empty')).toBe('missing')
  })

  it('another store does not append to the stream of a producer', async () => {
    const hub = openHub()
    await lease(createResumableStreamStore(runsOn(hub)))
    const other = createResumableStreamStore(runsOn(hub))
    await expect(other.append('s', bytes('x'))).rejects.toMatchObject({ code: 'missing' })
  })

  it('a hub that does not delete says how to change that, and the stream has ended', async () => {
    const { url } = await serve(hubOptions)
    const store = createResumableStreamStore(runsOn(url))
    await store.acquire('s')
    await store.append('s', bytes('a'))
    await expect(store.delete('s')).rejects.toMatchObject({ code: 'deletion_disabled' })
    await expect(store.delete('s')).rejects.toThrow('--allow-delete')
    expect(await readAll(store.read('s', '', never))).toEqual(['a'])
  })
})
