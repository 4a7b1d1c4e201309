// One subscriber under load: reads numbers and times from a stream with as little work as possible, and reconnects.
import type { ClientRequest, IncomingMessage } from 'node:http'
import { reasonOf, refusal } from '../client/failure.ts'
import { open, readText, type Target } from '../client/request.ts'
import type { Histogram } from './histogram.ts'

/** The delay before a subscriber reconnects, in milliseconds. */
const reconnectMs = 200

/** The counts of all subscribers of a run. */
export interface Totals {
  readonly latency: Histogram
  reconnects: number
  /** The reason of the last failed connection. */
  trouble: string | undefined
}

/** The data of an update: `bench <number> <time> `, then dots. The time is of `performance.now` in this process. */
export function dataFor(number: number, at: number, size: number): string {
  return `bench ${number} ${at.toFixed(3)} `.padEnd(size, '.')
}

const marker = '\ndata: bench '

/** The numbers that have arrived, with one bit for each, so that missing and duplicate ones are found. */
class Seen {
  #bits = new Uint8Array(128)
  count = 0
  twice = 0

  add(number: number): void {
    const byte = number >>> 3
    if (byte >= this.#bits.length) this.#grow(byte)
    const bit = 1 << (number & 7)
    if ((this.#bits[byte] as number) & bit) {
      this.twice++
      return
    }
    this.#bits[byte] = (this.#bits[byte] as number) | bit
    this.count++
  }

  has(number: number): boolean {
    return ((this.#bits[number >>> 3] ?? 0) & (1 << (number & 7))) !== 0
  }

  #grow(byte: number): void {
    const larger = new Uint8Array(Math.max(byte + 1, this.#bits.length * 2))
    larger.set(this.#bits)
    this.#bits = larger
  }
}

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

  /** Resolves when the stream has begun. Rejects if it cannot be opened. */
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
    response.on('close', () => this.#reconnect())
  }

  /** The data is ASCII on one line, so no parser is needed. */
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

  #reconnect(): void {
    if (this.#isDone) return
    this.#totals.reconnects++
    this.#timer = setTimeout(() => {
      this.connect().catch((error: Error) => {
        this.#totals.trouble = reasonOf(error)
        this.#reconnect()
      })
    }, reconnectMs)
  }
}

function refused(response: IncomingMessage, text: string): Error {
  return refusal({ status: response.statusCode ?? 0, headers: response.headers, text })
}
