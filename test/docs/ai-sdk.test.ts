// Runs the example of docs/recipes/ai-sdk.md with the real AI SDK and a simulated model: an app server in processes of its own, which
// are killed, and the transport of the AI SDK as the browser.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import {
  type ChatTransport,
  DefaultChatTransport,
  generateId,
  readUIMessageStream,
  type UIMessage,
  type UIMessageChunk
} from 'ai'
import { expect, it, onTestFinished } from 'vitest'
import { createRuns } from '../../dist/ai/index.js'
import { type ServerProcess, startServer } from '../support/servers/server.ts'

const documented = readFileSync('docs/recipes/ai-sdk.md', 'utf8')
const examples = new Map(
  [...documented.matchAll(/^```js\n\/\/ (\S+)\n(.*?)^```/gms)].map(([, name, code]) => [name as string, code as string])
)

/** A model that says what the test sends to its process, and reports when it is aborted. */
const model = `
import { MockLanguageModelV4 } from 'ai/test'
const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 }
}
export const model = new MockLanguageModelV4({
  doStream: ({ abortSignal }) => {
    const stream = new ReadableStream({
      start(controller) {
        controller.enqueue({ type: 'stream-start', warnings: [] })
        controller.enqueue({ type: 'text-start', id: '1' })
        const listener = ({ say, end }) => {
          if (say) controller.enqueue({ type: 'text-delta', id: '1', delta: say })
          if (!end) return
          process.off('message', listener)
          controller.enqueue({ type: 'text-end', id: '1' })
          controller.enqueue({ type: 'finish', finishReason: { unified: 'stop', raw: undefined }, usage })
          controller.close()
        }
        process.on('message', listener)
        abortSignal.addEventListener('abort', () => {
          process.off('message', listener)
          process.send('aborted')
          controller.error(abortSignal.reason)
        })
        process.send('asked')
      }
    })
    return Promise.resolve({ stream })
  }
})
`

/** A database that survives the processes. */
const database = `
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
const fileOf = (id) => new URL(id + '.json', import.meta.url)
export const readChat = (id) =>
  existsSync(fileOf(id)) ? JSON.parse(readFileSync(fileOf(id), 'utf8')) : { messages: [], run: null }
export const saveChat = (id, chat) => {
  writeFileSync(fileOf(id + '.new'), JSON.stringify(chat))
  renameSync(fileOf(id + '.new'), fileOf(id))
}
`

interface App {
  readonly url: string
  readonly process: ChildProcess
  /** The simulated model says something, and then nothing more. */
  say(...words: string[]): void
  end(): void
  /** Resolves when the process reports this. */
  reported(what: 'asked' | 'aborted'): Promise<void>
}

interface Chat {
  readonly messages: UIMessage[]
  readonly run: string | null
}

interface World {
  readonly hub: ServerProcess
  readonly id: string
  startApp(): Promise<App>
  /** A device that loads the page. */
  load(app: App): Promise<{ chat: Chat; transport: ChatTransport<UIMessage> }>
}

async function open(): Promise<World> {
  const hub = await startServer({ args: ['--idempotent', '1h'] })
  onTestFinished(() => hub.kill())
  const id = generateId()
  const folder = resolve('build/recipes-ai-sdk', id)
  mkdirSync(folder, { recursive: true })
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const [name, code] of [...examples, ['model.mjs', model], ['database.mjs', database]] as const) {
    const local = code.replaceAll('http://127.0.0.1:5000', hub.url)
    writeFileSync(join(folder, name), local.replace(/createRuns\((\S+)\)/, 'createRuns($1, { leaseMs: 600 })'))
  }
  const { transportFor } = (await import(join(folder, 'client.mjs'))) as {
    transportFor: (api: string, run: string | null) => ChatTransport<UIMessage>
  }
  const load = async (app: App) => {
    const chat = (await (await fetch(`${app.url}/${id}`)).json()) as Chat
    return { chat, transport: transportFor(app.url, chat.run) }
  }
  return { hub, id, startApp: () => startApp(folder), load }
}

async function startApp(folder: string): Promise<App> {
  const child = fork(join(folder, 'server.mjs'), {
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc']
  })
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  const reports: unknown[] = []
  child.on('message', (report) => reports.push(report))
  const port = await new Promise<string>((listening) => {
    child.stdout?.on('data', (text: Buffer) => {
      const [, found] = /listening on (\d+)/.exec(String(text)) ?? []
      if (found) listening(found)
    })
  })
  return {
    url: `http://127.0.0.1:${port}/chat`,
    process: child,
    say: (...words) => {
      for (const say of words) child.send({ say })
    },
    end: () => void child.send({ end: true }),
    reported: async (what) => {
      while (!reports.includes(what)) await once(child, 'message')
    }
  }
}

/** Reads a stream of the AI SDK: the text of the message so far, and whether the stream is over. */
class Reader {
  readonly chunks: UIMessageChunk[] = []
  message: UIMessage | undefined
  readonly closed: Promise<void>

  constructor(stream: ReadableStream<UIMessageChunk>) {
    const { chunks } = this
    const noted = stream.pipeThrough(
      new TransformStream<UIMessageChunk, UIMessageChunk>({
        transform(chunk, controller) {
          chunks.push(chunk)
          controller.enqueue(chunk)
        }
      })
    )
    this.closed = this.#read(noted)
  }

  get text(): string {
    const parts = this.message?.parts ?? []
    return parts.map((part) => (part.type === 'text' ? part.text : '')).join('')
  }

  async #read(stream: ReadableStream<UIMessageChunk>): Promise<void> {
    for await (const message of readUIMessageStream({ stream, onError: () => {} })) this.message = message
  }
}

async function ask({ id, load }: World, app: App, signal?: AbortSignal): Promise<Reader> {
  const { transport } = await load(app)
  const message: UIMessage = { id: generateId(), role: 'user', parts: [{ type: 'text', text: 'How are you?' }] }
  const request = { trigger: 'submit-message' as const, chatId: id, messageId: undefined, messages: [message] }
  const reader = new Reader(await transport.sendMessages({ ...request, abortSignal: signal }))
  await app.reported('asked')
  return reader
}

/** Repeats a request until it has a result. */
async function until<T>(request: () => Promise<T | null>): Promise<T> {
  for (;;) {
    const result = await request()
    if (result !== null) return result
  }
}

/** A device that resumes the answer; undefined if there is nothing to resume. */
async function resume({ id, load }: World, app: App): Promise<Reader | undefined> {
  const { transport } = await load(app)
  const stream = await transport.reconnectToStream({ chatId: id })
  return stream ? new Reader(stream) : undefined
}

/** An answer whose app server is killed after its first chunk, and a device that reads it. */
async function crashed(): Promise<{ world: World; reading: Reader; run: string }> {
  const world = await open()
  const app = await world.startApp()
  const asking = await ask(world, app)
  app.say('I am ')
  const reading = (await resume(world, app)) as Reader
  await expect.poll(() => reading.text).toBe('I am ')
  const run = (await world.load(app)).chat.run as string
  app.process.kill('SIGKILL')
  await asking.closed.catch(() => {})
  return { world, reading, run }
}

it('a reload in the middle: the answer is there from the beginning, goes on, and ends', async () => {
  const world = await open()
  const app = await world.startApp()
  const page = new AbortController()
  const before = await ask(world, app, page.signal)
  app.say('I ', 'am ')
  await expect.poll(() => before.text).toBe('I am ')
  page.abort()
  // What a stream reports that was cut is not the subject here.
  await before.closed.catch(() => {})
  const after = (await resume(world, app)) as Reader
  await expect.poll(() => after.text).toBe('I am ')
  app.say('fine.')
  await expect.poll(() => after.text).toBe('I am fine.')
  app.end()
  await after.closed
  expect(after.chunks.at(0)).toMatchObject({ type: 'start' })
  expect(after.chunks.at(-1)).toMatchObject({ type: 'finish' })
  // The answer is saved, so the page that is loaded next has nothing to resume.
  const { chat } = await world.load(app)
  expect(chat.run).toBeNull()
  expect(chat.messages.map(({ role }) => role)).toEqual(['user', 'assistant'])
})

it('there is nothing to resume for a page that guesses the run, if the hub does not know it, or it is complete', async () => {
  const world = await open()
  const api = (run: string) =>
    `${world.hub.url}/subscribe?topic=runs/${run}&last_event_id=earliest&empty=skip&ended=skip`
  const guess = (run: string) =>
    new DefaultChatTransport({ prepareReconnectToStreamRequest: () => ({ api: api(run) }) }).reconnectToStream({
      chatId: world.id
    })
  expect(await guess('none')).toBeNull()
  const app = await world.startApp()
  const asking = await ask(world, app)
  const run = (await world.load(app)).chat.run as string
  app.say('Hello.')
  const reading = new Reader((await until(() => guess(run))) as ReadableStream<UIMessageChunk>)
  app.end()
  await Promise.all([asking.closed, reading.closed])
  expect(reading.text).toBe('Hello.')
  expect(await guess(run)).toBeNull()
})

it('a second device sees the same answer while it is written, and so does a third one that comes when it is complete', async () => {
  const world = await open()
  const app = await world.startApp()
  const first = await ask(world, app)
  app.say('One ')
  await expect.poll(() => first.text).toBe('One ')
  const second = (await resume(world, app)) as Reader
  const { transport } = await world.load(app)
  app.say('two ', 'three.')
  app.end()
  await Promise.all([first.closed, second.closed])
  const third = new Reader((await transport.reconnectToStream({ chatId: world.id })) as ReadableStream<UIMessageChunk>)
  await third.closed
  expect([first.text, second.text, third.text]).toEqual(Array(3).fill('One two three.'))
  expect(second.chunks).toEqual(first.chunks)
  expect(third.chunks).toEqual(first.chunks)
})

it('stop from another device, which reaches another process of the app', async () => {
  const world = await open()
  const [app, otherApp] = [await world.startApp(), await world.startApp()]
  const first = await ask(world, app)
  app.say('I could talk ')
  const second = (await resume(world, app)) as Reader
  await expect.poll(() => second.text).toBe('I could talk ')
  expect((await fetch(`${otherApp.url}/${world.id}/stop`, { method: 'POST' })).status).toBe(204)
  await app.reported('aborted')
  await Promise.all([first.closed, second.closed])
  expect(second.chunks.at(-1)).toMatchObject({ type: 'abort' })
  expect(second.text).toBe('I could talk ')
})

it('a crash of the app server between two chunks: the next server ends the answer, and says so to its readers', async () => {
  const { world, reading, run } = await crashed()
  const next = await world.startApp()
  const runs = createRuns(world.hub.url, { leaseMs: 600 })
  await expect.poll(() => runs.status(run)).toBe('error')
  expect((await world.load(next)).chat.run).toBe(run)
  await reading.closed
  expect(reading.text).toBe('I am ')
  expect(reading.chunks.at(-1)).toEqual({ type: 'error', errorText: 'The answer was interrupted.' })
  // The chat goes on.
  const again = await ask(world, next)
  next.say('Hello.')
  next.end()
  await again.closed
  expect(again.text).toBe('Hello.')
})

it('a crash of the app server between two chunks: the next server continues, and readers see one answer', async () => {
  const { world, reading, run } = await crashed()
  const rest: UIMessageChunk[] = [
    { type: 'text-delta', id: '1', delta: 'back.' },
    { type: 'text-end', id: '1' },
    { type: 'finish-step' },
    { type: 'finish' }
  ]
  const { readable, writable } = new TransformStream<UIMessageChunk>()
  const writing = createRuns(world.hub.url).write(run, readable, { continue: true })
  const writer = writable.getWriter()
  for (const chunk of rest) await writer.write(chunk)
  await writer.close()
  expect(await writing).toEqual({ status: 'done' })
  await reading.closed
  expect(reading.text).toBe('I am back.')
})
