// One request whose answer is watched as it comes: when its head, its first byte and each piece arrived, and how it ended.
// It judges nothing.
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { constants, createGunzip } from 'node:zlib'
import { type Ask, open, type Target } from '../client/target.ts'

export interface Piece {
  /** When it came, by `performance.now`. */
  readonly at: number
  readonly text: string
}

export class Probe {
  readonly began = performance.now()
  readonly pieces: Piece[] = []
  status = 0
  headers: IncomingHttpHeaders = {}
  /** Milliseconds after the request; undefined for not yet. */
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

  /** Waits until it holds, or the answer has ended, for so many milliseconds; answers whether it holds. */
  async until(holds: (probe: this) => boolean, patience: number): Promise<boolean> {
    const deadline = performance.now() + patience
    const timer = setTimeout(() => this.#changed(), patience)
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

/** As it comes: without its last bytes, too. */
function decoded(response: IncomingMessage): Readable {
  if (response.headers['content-encoding'] !== 'gzip') return response
  const flush = constants.Z_SYNC_FLUSH
  const gunzip = createGunzip({ flush, finishFlush: flush })
  return response.pipe(gunzip)
}
