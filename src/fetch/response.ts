// Collects what the endpoints write, and makes a fetch Response of it.
import { EventEmitter } from 'node:events'
import type { OutgoingHttpHeaders } from 'node:http'
import type { HttpResponse } from '../http/exchange.ts'
import type { FetchRequest, FetchSocket } from './request.ts'

/** Statuses whose responses have no body [Fetch, 2.2.3]. */
const nullBodyStatuses: ReadonlySet<number> = new Set([101, 103, 204, 205, 304])

/** The status that nginx logs for a client that did not wait for the response. */
const clientClosedRequest = 499

export class FetchResponse extends EventEmitter implements HttpResponse {
  /** Resolves when the head is known. */
  readonly sent: Promise<Response>
  readonly req: FetchRequest
  readonly socket: FetchSocket
  readonly writableHighWaterMark: number
  headersSent = false
  readonly #headers = new Headers()
  #status = 200
  #send: (response: Response) => void = () => {}
  #body: ReadableStreamDefaultController<Uint8Array> | undefined
  #isFull = false
  #isOver = false

  /** @param highWaterMark bytes of a stream that may wait for its reader */
  constructor(request: FetchRequest, highWaterMark: number) {
    super()
    this.req = request
    this.socket = request.socket
    this.writableHighWaterMark = highWaterMark
    this.sent = new Promise((resolve) => {
      this.#send = resolve
    })
    if (this.socket.destroyed) this.#abandon()
    else this.socket.once('close', () => this.#abandon())
  }

  /** Bytes that the reader has not taken. */
  get writableLength(): number {
    return this.#body ? this.writableHighWaterMark - (this.#body.desiredSize ?? this.writableHighWaterMark) : 0
  }

  removeHeader(name: string): void {
    this.#headers.delete(name)
  }

  writeHead(status: number, headers: OutgoingHttpHeaders = {}): this {
    this.#status = status
    for (const [name, value] of Object.entries(headers)) {
      if (value === undefined) continue
      this.#headers.delete(name)
      for (const one of [value].flat()) this.#headers.append(name, String(one))
    }
    this.headersSent = true
    return this
  }

  /** The first bytes begin a stream. */
  write(bytes: Uint8Array): boolean {
    if (this.#isOver) return false
    if (!this.#body) this.#begin()
    this.#body?.enqueue(bytes)
    this.#isFull = this.writableLength >= this.writableHighWaterMark
    return !this.#isFull
  }

  end(chunk?: string | Uint8Array, encoding?: 'latin1'): void {
    if (this.#isOver) return
    if (this.#body) {
      if (chunk !== undefined) this.write(Buffer.from(chunk))
      this.#body.close()
    } else {
      const hasBody = chunk !== undefined && this.req.method !== 'HEAD' && !nullBodyStatuses.has(this.#status)
      this.#respond(hasBody ? Buffer.from(chunk as string, encoding) : null)
    }
    this.#close()
  }

  /** Ends the response without what was not read. */
  destroy(): void {
    if (this.#isOver) return
    this.#body?.error(new Error('the stream was closed before it was complete'))
    this.#abandon()
  }

  /** Nobody waits for the response any more. A server that still reads it must not take that for an error. */
  #abandon(): void {
    if (this.#isOver) return
    if (!this.#body) {
      this.#status = clientClosedRequest
      this.#respond(null)
    } else if (this.#body.desiredSize !== null) this.#body.close()
    this.#close()
  }

  #begin(): void {
    const body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#body = controller
        },
        // The reader has taken something, and there is room again.
        pull: () => {
          if (!this.#isFull || this.writableLength > 0) return
          this.#isFull = false
          this.emit('drain')
        },
        cancel: () => this.#close()
      },
      { highWaterMark: this.writableHighWaterMark, size: (chunk) => chunk.byteLength }
    )
    this.#respond(body)
  }

  #respond(body: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null): void {
    this.#send(new Response(body, { status: this.#status, headers: this.#headers }))
  }

  #close(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.emit('close')
    this.socket.destroy()
  }
}
