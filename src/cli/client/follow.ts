// Follows a stream, and reconnects after each interruption without missing an event.
import type { ClientRequest, IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { EventSourceMessage } from 'eventsource-parser'
import { Backoff } from './backoff.ts'
import { Failure, isTransient, isUntrusted, reasonOf, refusal, retryAfter } from './failure.ts'
import { open, readText, type Target } from './request.ts'
import { ResumableParser } from './resumable-parser.ts'

export interface Following {
  /** The query of the first request. Later requests have the last event id in place of `last`. */
  readonly query: URLSearchParams
  /** The id after which to start; empty for none. */
  readonly from: string
  readonly event: (event: EventSourceMessage) => void
  readonly bytes: (chunk: Buffer) => void
  readonly say: (sentence: string) => void
  /** Aborted to end it. */
  readonly stop: AbortSignal
}

/** How a stream ended. */
interface Interruption {
  readonly trouble: string
  /** The delay that the server asked for, in milliseconds. */
  readonly asked: number
  /** Whether nothing more will come. */
  readonly isOver?: boolean
}

/** A stream that lasted so long counts as a success, in milliseconds. */
const minLifeMs = 5_000
/** Longer than a usual heartbeat: a stream that is idle for longer has lost its connection. In milliseconds. */
const idleTimeoutMs = 120_000

/** Resolves when it is stopped, and when nothing is left to receive because all topics have ended. @throws Failure if a retry would not help */
export async function follow(target: Target, following: Following): Promise<void> {
  await new Follower(target, following).run()
}

class Follower {
  readonly #target: Target
  readonly #following: Following
  readonly #parser: ResumableParser
  readonly #backoff = new Backoff()
  #request: ClientRequest | undefined
  #isReconnecting = false

  constructor(target: Target, following: Following) {
    this.#target = target
    this.#following = following
    this.#parser = new ResumableParser(following.from, (event) => {
      this.#backoff.reset()
      if (!following.stop.aborted) following.event(event)
    })
  }

  async run(): Promise<void> {
    const { stop } = this.#following
    stop.addEventListener('abort', () => this.#request?.destroy(), { once: true })
    while (!stop.aborted) {
      const openedAt = performance.now()
      const { trouble, asked, isOver } = await this.#readStream()
      if (stop.aborted || isOver) return
      if (performance.now() - openedAt > minLifeMs) this.#backoff.reset()
      const wait = this.#backoff.next(Math.max(10, this.#parser.retry), asked)
      this.#following.say(`${trouble}; reconnecting in ${(wait / 1_000).toFixed(1)} s`)
      this.#isReconnecting = true
      await sleep(wait, undefined, { signal: stop }).catch(() => {})
    }
  }

  /** Reads one stream until it ends, and returns why it ended. */
  async #readStream(): Promise<Interruption> {
    try {
      const response = await this.#open()
      const { statusCode: status = 0, headers } = response
      if (status === 204) return { trouble: '', asked: 0, isOver: true }
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
    const { query, stop } = this.#following
    const id = this.#parser.lastEventId
    // An id may have any characters, which a header could not carry.
    const asked = new URLSearchParams(query)
    if (id !== '') {
      asked.set('last_event_id', id)
      asked.delete('last')
    }
    const headers = { Accept: 'text/event-stream', 'Cache-Control': 'no-store' }
    const request = open(this.#target, { path: `subscribe?${asked}`, headers })
    this.#request = request
    if (stop.aborted) request.destroy()
    return new Promise((resolve, reject) => {
      request.on('response', resolve).on('error', reject)
      request.setTimeout(idleTimeoutMs, () => request.destroy(Object.assign(new Error(), { code: 'ETIMEDOUT' })))
      request.end()
    })
  }

  async #refused(response: IncomingMessage, status: number): Promise<Interruption> {
    const { headers } = response
    const said = refusal({ status, headers, text: await readText(response) })
    if (!isTransient(status)) throw said
    return { trouble: said.message, asked: retryAfter(headers) }
  }

  /** Reads the body to its end, and returns how it ended. */
  async #read(response: IncomingMessage): Promise<string> {
    this.#parser.reset()
    if (this.#isReconnecting) this.#following.say('reconnected')
    this.#isReconnecting = false
    const decoder = new TextDecoder()
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        this.#following.bytes(chunk)
        this.#parser.feed(decoder.decode(chunk, { stream: true }))
      }
      return 'the stream has ended'
    } catch (error) {
      return `the stream was lost: ${reasonOf(error as Error)}`
    }
  }
}
