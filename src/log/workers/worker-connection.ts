// One worker, as the primary sees it: its requests, its answers in the order of the batches, and a bound on what waits for it.
import type { Socket } from 'node:net'
import { encodeFrame, FrameReader } from './frames.ts'
import { type Answer, encodeError, type Request } from './protocol.ts'
import { type OwnedLog, RequestHandler } from './request-handler.ts'

/** Reads of a worker that run at a time. Further ones wait, so that they delay no append. */
const maxReads = 8
/** No further read begins while more than this waits to be sent. */
const highWaterMark = 2 ** 20

/** What a connection needs from the server. */
export interface Exchange {
  /** Sends what was delivered, and with `isRead` also the state, before an answer that may depend on it. */
  settle(isRead: boolean): void
  requestFlush(): void
  message(node: string, text: string): boolean
  remove(node: string): void
}

export class WorkerConnection {
  readonly #node: string
  readonly #socket: Socket
  readonly #exchange: Exchange
  readonly #maxQueuedBytes: number
  /** How much may wait until less than the maximum does. */
  #allowedBytes = 0
  readonly #handler: RequestHandler
  readonly #frames = new FrameReader()
  readonly #waitingReads: Request[] = []
  #reads = 0
  #isReadRequested = false
  #answers: Answer[] = []

  constructor(node: string, socket: Socket, log: OwnedLog, exchange: Exchange, maxQueuedBytes: number) {
    this.#node = node
    this.#socket = socket
    this.#exchange = exchange
    this.#maxQueuedBytes = maxQueuedBytes
    this.#handler = new RequestHandler(log, (to, text) => exchange.message(to, text))
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    socket.on('drain', () => this.#requestReads())
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#gone())
  }

  get queuedBytes(): number {
    return this.#socket.writableLength
  }

  /** Writes a frame after the answers that came before it. */
  write(frame: Buffer): void {
    this.#writeAnswers()
    this.#write(frame)
  }

  flush(): void {
    this.#writeAnswers()
  }

  /** Does not wait for a worker that does not read. */
  end(): void {
    this.#writeAnswers()
    this.#socket.destroy()
  }

  #writeAnswers(): void {
    if (this.#answers.length === 0) return
    const answers = this.#answers
    this.#answers = []
    this.#write(encodeFrame(['answers', answers]))
  }

  #write(frame: Buffer): void {
    if (!this.#socket.writable) return
    const { queuedBytes } = this
    // A single frame may be larger, so that a large batch disconnects nobody who reads.
    if (queuedBytes <= this.#maxQueuedBytes) this.#allowedBytes = this.#maxQueuedBytes + frame.length
    if (queuedBytes > this.#allowedBytes) this.#socket.destroy()
    else this.#socket.write(frame)
  }

  #receive(chunk: Buffer): void {
    this.#frames.push(chunk)
    try {
      for (let frame = this.#frames.next(); frame !== undefined; frame = this.#frames.next()) {
        for (const request of frame as readonly Request[]) this.#take(request)
      }
    } catch (error) {
      this.#socket.destroy(error as Error)
    }
  }

  #take(request: Request): void {
    if (request[1] === 'leave') this.#leave(request)
    else if (RequestHandler.isRead(request)) {
      this.#waitingReads.push(request)
      this.#requestReads()
    } else void this.#answer(request)
  }

  /** From now on no message and no batch is for this worker. */
  #leave([id]: Request): void {
    this.#exchange.remove(this.#node)
    this.#answers.push([id, null])
    this.#writeAnswers()
  }

  /** Reads begin in a turn of their own: an answer then precedes the entries that are appended after it was made. */
  #requestReads(): void {
    if (this.#isReadRequested || this.#waitingReads.length === 0) return
    this.#isReadRequested = true
    setImmediate(() => this.#beginReads())
  }

  #beginReads(): void {
    this.#isReadRequested = false
    while (this.#reads < maxReads && this.queuedBytes < highWaterMark) {
      const request = this.#waitingReads.shift()
      if (!request) return
      this.#reads++
      void this.#answer(request).finally(() => {
        this.#reads--
        this.#requestReads()
      })
    }
  }

  /** Never rejects. */
  async #answer(request: Request): Promise<void> {
    let answer: Answer
    try {
      answer = [request[0], await this.#handler.handle(request)]
    } catch (error) {
      answer = [request[0], null, encodeError(error)]
    }
    this.#exchange.settle(RequestHandler.isRead(request))
    this.#answers.push(answer)
    this.#exchange.requestFlush()
  }

  #gone(): void {
    this.#waitingReads.length = 0
    this.#answers = []
    this.#exchange.remove(this.#node)
    void this.#handler.close()
  }
}
