// The interface of `resumable-stream`: the same tests with the package itself, on Redis that is simulated, and with ours, on a hub.
import * as original from 'resumable-stream/generic'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  createResumableStreamContext,
  createRuns,
  type ResumableStreamContext,
  runRetention
} from '../../dist/ai/index.js'
import { createHub } from '../../dist/index.js'
import { serve } from '../support/http/http.ts'

/** What `resumable-stream` uses of Redis. */
function simulatedRedis() {
  const values = new Map<string, string>()
  const channels = new Map<string, (message: string) => void>()
  return {
    connect: () => Promise.resolve(),
    subscribe: (channel: string, callback: (message: string) => void) => {
      channels.set(channel, callback)
      return Promise.resolve()
    },
    unsubscribe: (channel: string) => Promise.resolve(channels.delete(channel)),
    publish: (channel: string, message: string) => {
      channels.get(channel)?.(message)
      return Promise.resolve(1)
    },
    set: (key: string, value: string) => {
      values.set(key, value)
      return Promise.resolve('OK')
    },
    get: (key: string) => Promise.resolve(values.get(key) ?? null),
    incr: (key: string) => {
      const value = values.get(key) ?? '0'
      if (!/^\d+$/.test(value)) return Promise.reject(new Error('ERR value is not an integer or out of range'))
      values.set(key, String(Number(value) + 1))
      return Promise.resolve(Number(value) + 1)
    }
  }
}

/** Makes the contexts of several processes. */
type Contexts = () => Promise<() => Pick<ResumableStreamContext, keyof ResumableStreamContext>>

const kinds: Record<string, Contexts> = {
  'the package itself': () => {
    const redis = simulatedRedis()
    const waitUntil = () => {}
    return Promise.resolve(() =>
      original.createResumableStreamContext({ waitUntil, subscriber: redis, publisher: redis })
    )
  },
  'tidings, on a hub in this process': () => {
    const hub = createHub({ idempotent: 60_000, retention: runRetention })
    onTestFinished(() => hub.close())
    return Promise.resolve(() => createResumableStreamContext({ runs: createRuns(hub), waitUntil: null }))
  },
  'tidings, on a hub behind a URL': async () => {
    const { url } = await serve({ idempotent: 60_000, retention: runRetention })
    return () => {
      const runs = createRuns(url)
      onTestFinished(() => runs.close())
      return createResumableStreamContext({ runs })
    }
  }
}

function controlled() {
  let controller: ReadableStreamDefaultController<string>
  const stream = new ReadableStream<string>({
    start: (given) => {
      controller = given
    }
  })
  return { stream, say: (text: string) => controller.enqueue(text), end: () => controller.close() }
}

async function textOf(stream: ReadableStream<string> | null | undefined): Promise<string> {
  let text = ''
  for await (const part of stream as ReadableStream<string>) text += part
  return text
}

/** Reads until it has a text, and leaves the stream open. */
async function readUntil(reader: ReadableStreamDefaultReader<string>, expected: string): Promise<void> {
  let text = ''
  while (text.length < expected.length) text += (await reader.read()).value
  expect(text).toBe(expected)
}

describe.each(Object.keys(kinds))('resumable streams: %s', (kind) => {
  const open = kinds[kind] as Contexts

  it('a stream that nobody resumes arrives as it is', async () => {
    const context = (await open())()
    const source = controlled()
    const stream = await context.resumableStream('s', () => source.stream)
    for (const text of ['data: 1\n\n', '', 'data: é\r\n\r\n']) source.say(text)
    source.end()
    expect(await textOf(stream)).toBe('data: 1\n\ndata: é\r\n\r\n')
  })

  it('another process resumes it from the beginning, and both have all of it', async () => {
    const contexts = await open()
    const source = controlled()
    const first = await contexts().resumableStream('s', () => source.stream)
    source.say('1\n')
    source.say('2\n')
    const never = () => {
      throw new Error('the stream is made once')
    }
    const second = await contexts().resumableStream('s', never)
    const reader = (second as ReadableStream<string>).getReader()
    await readUntil(reader, '1\n2\n')
    source.say('3\n')
    await readUntil(reader, '3\n')
    source.end()
    expect((await reader.read()).done).toBe(true)
    expect(await textOf(first)).toBe('1\n2\n3\n')
  })

  it('goes on when its first reader has gone', async () => {
    const contexts = await open()
    const source = controlled()
    const first = (await contexts().createNewResumableStream('s', () => source.stream)) as ReadableStream<string>
    source.say('1')
    await first.cancel()
    const second = (await contexts().resumeExistingStream('s')) as ReadableStream<string>
    const reader = second.getReader()
    await readUntil(reader, '1')
    source.say('2')
    await readUntil(reader, '2')
    source.end()
    expect((await reader.read()).done).toBe(true)
  })

  it('is resumed after a number of characters', async () => {
    const contexts = await open()
    const source = controlled()
    await contexts().createNewResumableStream('s', () => source.stream)
    source.say('abc')
    source.say('def')
    const whole = ((await contexts().resumeExistingStream('s')) as ReadableStream<string>).getReader()
    await readUntil(whole, 'abcdef')
    const rest = (await contexts().resumeExistingStream('s', 4)) as ReadableStream<string>
    const reader = rest.getReader()
    await readUntil(reader, 'ef')
    source.say('g')
    await readUntil(reader, 'g')
    source.end()
    expect((await reader.read()).done).toBe(true)
    expect((await whole.read()).value).toBe('g')
    expect((await whole.read()).done).toBe(true)
  })

  it('says whether there is a stream, and gives none that is complete', async () => {
    const contexts = await open()
    const context = contexts()
    expect(await context.hasExistingStream('s')).toBeNull()
    expect(await context.resumeExistingStream('s')).toBeUndefined()
    const source = controlled()
    const stream = await context.createNewResumableStream('s', () => source.stream)
    expect(await contexts().hasExistingStream('s')).toBe(true)
    source.say('1')
    source.end()
    await textOf(stream)
    await expect.poll(() => contexts().hasExistingStream('s')).toBe('DONE')
    expect(await contexts().resumeExistingStream('s')).toBeNull()
    expect(await contexts().resumableStream('s', () => source.stream)).toBeNull()
  })
})

it('of many processes that begin a stream in the same moment, one makes it', async () => {
  const contexts = await (kinds['tidings, on a hub behind a URL'] as Contexts)()
  let made = 0
  const sources = Array.from({ length: 5 }, controlled)
  const streams = Promise.all(
    sources.map(({ stream, say, end }, n) =>
      contexts().resumableStream('s', () => {
        made++
        say(`from ${n}`)
        end()
        return stream
      })
    )
  )
  const texts = await Promise.all((await streams).filter((stream) => stream !== null).map(textOf))
  expect(made).toBe(1)
  expect(new Set(texts).size).toBe(1)
})
