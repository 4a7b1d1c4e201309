// Presents a fetch Request as the endpoints expect it.
import { EventEmitter } from 'node:events'
import type { IncomingHttpHeaders } from 'node:http'
import { Readable } from 'node:stream'
import type { HttpRequest, HttpSocket } from '../http/exchange.ts'

/** Stands for the connection, of which a Request shows only when its client is gone. */
export class FetchSocket extends EventEmitter implements HttpSocket {
  destroyed = false
  readonly remoteAddress: string

  constructor(remoteAddress: string) {
    super()
    this.remoteAddress = remoteAddress
  }

  destroy(): void {
    if (this.destroyed) return
    this.destroyed = true
    this.emit('close')
  }
}

export class FetchRequest extends Readable implements HttpRequest {
  /** As the framework passed it. */
  readonly original: Request
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly rawHeaders: readonly string[]
  /** A Request has no version. As on HTTP/2, its response neither owns a connection nor ends one. */
  readonly httpVersionMajor = 2
  readonly socket: FetchSocket
  complete = false
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined

  constructor(request: Request, address: string) {
    super()
    const { host, pathname, search } = new URL(request.url)
    const headers = [...request.headers]
    this.original = request
    this.method = request.method
    this.url = pathname + search
    // Some servers leave `Host` out, because the URL has it.
    this.headers = { host, ...Object.fromEntries(headers) }
    this.rawHeaders = headers.flat()
    this.socket = new FetchSocket(address)
    this.socket.once('close', () => this.destroy())
    // Middleware has read the body: nothing is left to read.
    if (request.bodyUsed) Object.defineProperty(this, 'readableEnded', { value: true })
    const { signal } = request
    if (signal.aborted) this.socket.destroy()
    else signal.addEventListener('abort', () => this.socket.destroy(), { once: true })
  }

  override _read(): void {
    this.#reader ??= this.original.body?.getReader()
    this.#pull().catch((error: unknown) => this.destroy(error as Error))
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#reader?.cancel().catch(() => {})
    callback(error)
  }

  async #pull(): Promise<void> {
    const { done, value } = (await this.#reader?.read()) ?? { done: true, value: undefined }
    if (done) this.complete = true
    this.push(done ? null : Buffer.from(value.buffer, value.byteOffset, value.byteLength))
  }
}
