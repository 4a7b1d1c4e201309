// The node of the runs benchmark: a hub, its HTTP server and the writers of all runs, in one process. `POST /begin` starts the runs, and
// is answered when all have ended.
import { createHandler, createHub } from 'tidings'
import { createRuns, runRetention } from 'tidings/ai'
import { listen } from '../contenders/servers/listen.ts'

const [count, perSecond, seconds] = process.argv.slice(2).map(Number) as [number, number, number]
/** Milliseconds between two steps. In each, every run whose turn it is gets a token. */
const stepMs = 4

/** The tokens of a model, as they arrive. */
class Tokens implements AsyncIterable<object> {
  #waiting: object[] = []
  #isOver = false
  #changed = (): void => {}

  push(): void {
    this.#waiting.push({
      type: 'text-delta',
      id: '1',
      delta: 'token ',
      sent: performance.timeOrigin + performance.now()
    })
    this.#changed()
  }

  end(): void {
    this.#isOver = true
    this.#changed()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<object> {
    for (;;) {
      yield* this.#waiting.splice(0)
      if (this.#isOver && this.#waiting.length === 0) return
      if (this.#waiting.length > 0) continue
      await new Promise<void>((resolve) => {
        this.#changed = resolve
      })
    }
  }
}

const hub = createHub({ idempotent: 600_000, retention: runRetention })
const runs = createRuns(hub)
let appends = 0
const publishAll = hub.publishAll.bind(hub)
hub.publishAll = (updates, options) => {
  appends++
  return publishAll(updates, options)
}

/** Gives every run its tokens, spread evenly over time. */
async function produce(sources: readonly Tokens[]): Promise<void> {
  const startedAt = performance.now()
  const total = count * perSecond * seconds
  await new Promise<void>((resolve) => {
    let given = 0
    const timer = setInterval(() => {
      const due = Math.min(total, ((performance.now() - startedAt) / 1_000) * count * perSecond)
      for (; given < due; given++) sources[given % count]?.push()
      if (given < total) return
      clearInterval(timer)
      resolve()
    }, stepMs)
  })
  for (const source of sources) source.end()
}

async function run(): Promise<object> {
  const sources = Array.from({ length: count }, () => new Tokens())
  const writing = sources.map((source, n) => runs.write(String(n), source))
  await produce(sources)
  const outcomes = await Promise.all(writing)
  return { appends, failed: outcomes.filter(({ status }) => status !== 'done').length }
}

const handler = createHandler(hub)
listen((request, response) => {
  if (request.url !== '/begin') return handler(request, response)
  run().then(
    (result) => response.end(JSON.stringify(result)),
    (error: unknown) => response.writeHead(500).end(String(error))
  )
})
