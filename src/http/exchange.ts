// The parts of a request and a response that the endpoints use. Those of node:http have them, and so have those that the fetch
// handler makes.
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'

/** A listener with any parameters: those of a method are compared in both directions. */
type Listener = { listen(...args: unknown[]): void }['listen']

interface Emitter {
  on(event: string, listener: Listener): unknown
  once(event: string, listener: Listener): unknown
  off(event: string, listener: Listener): unknown
}

/** The connection of a request. On HTTP/2, several requests share it. */
export interface HttpSocket extends Emitter {
  readonly destroyed: boolean
  readonly remoteAddress?: string | undefined
  readonly remotePort?: number | undefined
  destroy(): unknown
}

export interface HttpRequest extends Emitter {
  readonly method?: string | undefined
  /** The path and query, or an absolute URL. */
  readonly url?: string | undefined
  readonly headers: IncomingHttpHeaders
  /** Names and values in turn, as they were sent. */
  readonly rawHeaders: readonly string[]
  readonly httpVersionMajor: number
  readonly socket: HttpSocket
  /** Whether the body has arrived completely. */
  readonly complete: boolean
  readonly destroyed: boolean
  readonly readableEnded: boolean
  read(): unknown
  /** What the application knows as the request, if that is another object. */
  readonly original?: unknown
}

export interface HttpResponse extends Emitter {
  readonly req: HttpRequest
  /** Null for a pipelined request whose turn has not come. */
  readonly socket: unknown
  readonly headersSent: boolean
  readonly writableLength: number
  readonly writableHighWaterMark: number
  removeHeader(name: string): void
  writeHead(status: number, headers?: OutgoingHttpHeaders): { end(): unknown }
  write(bytes: Uint8Array): boolean
  end(): unknown
  end(chunk: string | Uint8Array): unknown
  end(text: string, encoding: 'latin1'): unknown
  destroy(): unknown
}
