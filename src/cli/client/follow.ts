// Follows a stream for as long as it is wanted: comes again after each cut, from where it was. It prints nothing, and says
// what happens to whoever asked.
import type { ClientRequest, IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { EventSourceMessage } from 'eventsource-parser'
import { Backoff } from './backoff.ts'
import { Failure, isTransient, isUntrusted, reasonOf, refusal, retryAfter } from './failure.ts'
import { ResumableParser } from './resumable-parser.ts'
import { open, readText, type Target } from './target.ts'

export interface Following {
  /** What is asked for the first time; later the last event id takes the place of `last`. */
  readonly query: URLSearchParams
  /** The id after which to begin; empty for none. */
  readonly from: string
  readonly event: (event: EventSourceMessage) => void
  readonly bytes: (chunk: Buffer) => void
  readonly say: (sentence: string) => void
  /** Aborted when nobody wants more. */
  readonly enough: AbortSignal
}

/** A stream that lived so long was no failure, whatever ended it, in milliseconds. */
const sound = 5_000
/** A heartbeat and more: a stream that is silent for longer has been lost without a word. */
const maxSilence = 120_000

/** Resolves when nobody wants more. @throws Failure where coming again is no use */
export async function follow(target: Target, following: Following): Promise<void> {
  await new Follower(target, following).run()
}

class Follower {
  readonly #target: Target
  readonly #following: Following
  readonly #place: ResumableParser
  readonly #backoff = new Backoff()
  #request: ClientRequest | undefined
  #isAway = false

  constructor(target: Target, following: Following) {
    this.#target = target
    this.#following = following
    this.#place = new ResumableParser(following.from, (event) => {
      this.#backoff.reset()
      if (!following.enough.aborted) following.event(event)
    })
  }

  async run(): Promise<void> {
    const { enough } = this.#following
    enough.addEventListener('abort', () => this.#request?.destroy(), { once: true })
    while (!enough.aborted) {
      const openedAt = performance.now()
      const { trouble, asked } = await this.#stay()
      if (enough.aborted) return
      if (performance.now() - openedAt > sound) this.#backoff.reset()
      const wait = this.#backoff.next(Math.max(10, this.#place.retry), asked)
      this.#following.say(`${trouble}; coming again in ${(wait / 1_000).toFixed(1)} s`)
      this.#isAway = true
      await sleep(wait, undefined, { signal: enough }).catch(() => {})
    }
  }

  /** Opens the stream and reads it to its end, and answers why it ended. */
  async #stay(): Promise<{ readonly trouble: string; readonly asked: number }> {
    try {
      const response = await this.#open()
      const { statusCode: status = 0, headers } = response
      if (status !== 200) return await this.#refused(response, status)
      if (!/^text\/event-stream\b/.test(headers['content-type'] ?? '')) {
        response.destroy()
        throw new Failure(`${this.#target.base.href} answers, but not with an event stream`)
      }
      return { trouble: await this.#read(response), asked: 0 }
    } catch (error) {
      if (error instanceof Failure) throw error
      const trouble = `${this.#target.base.href} cannot be reached: ${reasonOf(error as Error)}`
      if (isUntrusted(error as Error)) throw new Failure(trouble)
      return { trouble, asked: 0 }
    }
  }

  #open(): Promise<IncomingMessage> {
    const { query, enough } = this.#following
    const id = this.#place.lastEventId
    // An id is any text, and headers are bytes: in the query, it is the same everywhere.
    const asked = new URLSearchParams(query)
    if (id !== '') asked.set('last_event_id', id)
    if (id !== '') asked.delete('last')
    const headers = { Accept: 'text/event-stream', 'Cache-Control': 'no-store' }
    const request = open(this.#target, { path: `subscribe?${asked}`, headers })
    this.#request = request
    if (enough.aborted) request.destroy()
    return new Promise((resolve, reject) => {
      request.on('response', resolve).on('error', reject)
      request.setTimeout(maxSilence, () => request.destroy(Object.assign(new Error(), { code: 'ETIMEDOUT' })))
      request.end()
    })
  }

  async #refused(response: IncomingMessage, status: number) {
    const { headers } = response
    const said = refusal({ status, headers, text: await readText(response) })
    if (!isTransient(status)) throw said
    return { trouble: said.message, asked: retryAfter(headers) }
  }

  /** Reads to the end, and answers what kind of end it was. */
  async #read(response: IncomingMessage): Promise<string> {
    this.#place.reset()
    if (this.#isAway) this.#following.say('connected again')
    this.#isAway = false
    const decoder = new TextDecoder()
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        this.#following.bytes(chunk)
        this.#place.feed(decoder.decode(chunk, { stream: true }))
      }
      return 'the stream has ended'
    } catch (error) {
      return `the stream was lost: ${reasonOf(error as Error)}`
    }
  }
}
