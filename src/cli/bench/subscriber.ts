// One subscriber under load: reads numbers and times out of a stream with as little work as that takes, and comes again when
// it is cut. It knows no publisher.
import type { ClientRequest, IncomingMessage } from 'node:http'
import { reasonOf, refusal } from '../client/failure.ts'
import { open, readText, type Target } from '../client/target.ts'
import type { Histogram } from './histogram.ts'
import { Seen } from './seen.ts'

/** How long a subscriber waits before it comes again, in milliseconds. */
const pause = 200

/** What all subscribers of a run count together. */
export interface Totals {
  readonly latency: Histogram
  reconnects: number
  /** The newest reason for which a stream could not be had. */
  trouble: string | undefined
}

/** How an update's data begins: `bench <number> <time> `, by `performance.now` of this process. */
export function dataFor(number: number, at: number, size: number): string {
  return `bench ${number} ${at.toFixed(3)} `.padEnd(size, '.')
}

const marker = '\ndata: bench '

export class Subscriber {
  readonly seen = new Seen()
  readonly #target: Target
  readonly #topic: string
  readonly #totals: Totals
  #request: ClientRequest | undefined
  #timer: NodeJS.Timeout | undefined
  #rest = ''
  #lastEventId = ''
  #isDone = false

  constructor(target: Target, topic: string, totals: Totals) {
    this.#target = target
    this.#topic = topic
    this.#totals = totals
  }

  /** Resolves when the stream has begun. Rejects where it could not be had. */
  connect(): Promise<void> {
    const query = new URLSearchParams({ topic: this.#topic })
    if (this.#lastEventId !== '') query.set('last_event_id', this.#lastEventId)
    const request = open(this.#target, { path: `subscribe?${query}`, headers: { Accept: 'text/event-stream' } })
    this.#request = request
    return new Promise((resolve, reject) => {
      request.on('error', reject)
      request.on('response', (response) => {
        if (response.statusCode === 200) this.#read(response, resolve)
        else readText(response).then((text) => reject(refused(response, text)), reject)
      })
      request.end()
    })
  }

  close(): void {
    this.#isDone = true
    clearTimeout(this.#timer)
    this.#request?.destroy()
  }

  #read(response: IncomingMessage, begun: () => void): void {
    this.#rest = '\n'
    response.setEncoding('latin1')
    response.once('data', begun)
    response.on('data', (text: string) => this.#take(text))
    response.on('error', () => {})
    response.on('close', () => this.#comeAgain())
  }

  /** What is published is of ASCII, each update on one line: no parser is needed. */
  #take(text: string): void {
    const now = performance.now()
    const all = this.#rest + text
    const end = all.lastIndexOf('\n\n')
    if (end === -1) {
      this.#rest = all
      return
    }
    for (let at = all.indexOf(marker); at !== -1 && at < end; at = all.indexOf(marker, at + 1)) {
      const number = all.indexOf(' ', at + marker.length)
      this.seen.add(Number(all.slice(at + marker.length, number)))
      this.#totals.latency.add(Math.max(0, now - Number(all.slice(number + 1, all.indexOf(' ', number + 1)))))
    }
    this.#remember(all.slice(0, end))
    this.#rest = all.slice(end + 1)
  }

  #remember(blocks: string): void {
    const at = blocks.lastIndexOf('\nid: ')
    if (at !== -1) this.#lastEventId = (blocks.slice(at + 5).split('\n', 1)[0] as string).trim()
  }

  #comeAgain(): void {
    if (this.#isDone) return
    this.#totals.reconnects++
    this.#timer = setTimeout(() => {
      this.connect().catch((error: Error) => {
        this.#totals.trouble = reasonOf(error)
        this.#comeAgain()
      })
    }, pause)
  }
}

function refused(response: IncomingMessage, text: string): Error {
  return refusal({ status: response.statusCode ?? 0, headers: response.headers, text })
}
