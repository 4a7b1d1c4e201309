// One request, with the times at which the head, the first byte and each piece of its answer arrived, and how it ended.
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { constants, createGunzip } from 'node:zlib'
import { type Ask, open, type Target } from '../client/request.ts'

export interface Piece {
  /** When it arrived, by `performance.now`. */
  readonly at: number
  readonly text: string
}

export class Probe {
  readonly began = performance.now()
  readonly pieces: Piece[] = []
  status = 0
  headers: IncomingHttpHeaders = {}
  /** Milliseconds after the request; undefined if not yet. */
  head: number | undefined
  first: number | undefined
  ended: number | undefined
  error: NodeJS.ErrnoException | undefined
  readonly #request: ClientRequest
  #changed = () => {}

  constructor(target: Target, ask: Ask) {
    this.#request = open(target, ask)
    this.#request.on('response', (response) => this.#begin(response))
    this.#request.on('error', (error) => this.#end(error))
    this.#request.end()
  }

  get text(): string {
    return this.pieces.map(({ text }) => text).join('')
  }

  get isStream(): boolean {
    return this.status === 200 && /^text\/event-stream\b/.test(this.headers['content-type'] ?? '')
  }

  /** Waits until the condition holds, the answer has ended, or the time is over. Returns whether the condition holds. */
  async until(holds: (probe: this) => boolean, timeoutMs: number): Promise<boolean> {
    const deadline = performance.now() + timeoutMs
    const timer = setTimeout(() => this.#changed(), timeoutMs)
    while (!holds(this) && this.ended === undefined && performance.now() < deadline) {
      await new Promise<void>((resolve) => {
        this.#changed = resolve
      })
    }
    clearTimeout(timer)
    return holds(this)
  }

  close(): void {
    this.#request.destroy()
  }

  #begin(response: IncomingMessage): void {
    this.status = response.statusCode ?? 0
    this.headers = response.headers
    this.head = performance.now() - this.began
    response.once('data', () => {
      this.first = performance.now() - this.began
    })
    const body = decoded(response)
    body.on('data', (chunk: Buffer) => {
      this.pieces.push({ at: performance.now(), text: chunk.toString() })
      this.#changed()
    })
    body.on('error', (error) => this.#end(error))
    response.on('error', (error) => this.#end(error))
    response.on('close', () => this.#end())
    this.#changed()
  }

  #end(error?: NodeJS.ErrnoException): void {
    this.error ??= error
    this.ended ??= performance.now() - this.began
    this.#changed()
  }
}

/** Decompresses each piece as it arrives, also if the stream is cut. */
function decoded(response: IncomingMessage): Readable {
  if (response.headers['content-encoding'] !== 'gzip') return response
  const flush = constants.Z_SYNC_FLUSH
  const gunzip = createGunzip({ flush, finishFlush: flush })
  return response.pipe(gunzip)
}
