// A worker's connection to the primary: requests of one turn leave in one write, and answers come in the order of the batches.
import { connect, type Socket } from 'node:net'
import { TidingsError } from '../../errors.ts'
import { encodeFrame, FrameReader } from './frames.ts'
import { type Answer, decodeError, type Frame, type Question, type Request } from './protocol.ts'

/** How long `close` waits for answers. */
const closeTimeoutMs = 2_000

interface Pending {
  readonly verb: Question[0]
  isSent: boolean
  /** Called with the answer before any later frame is taken. */
  resolve(value: unknown): void
  reject(error: Error): void
}

/** Takes what the primary sends without a question. */
export interface FrameHandler {
  take(frame: Exclude<Frame, readonly ['answers', ...unknown[]]>): void
  /** The primary is gone, or has disconnected this worker. Called once, and not after `close`. */
  lost(reason: string): void
}

export class PrimaryConnection {
  readonly #socket: Socket
  readonly #handler: FrameHandler
  readonly #frames = new FrameReader()
  readonly #pending = new Map<number, Pending>()
  #nextId = 1
  #requests: Request[] = []
  #isPaused = false
  #isClosing = false
  /** Why there is no connection; undefined while there is one. */
  #lost: string | undefined
  #settled: () => void = () => {}
  readonly #closed: Promise<void>

  constructor(path: string, handler: FrameHandler) {
    this.#handler = handler
    this.#socket = connect(path)
    let reason = 'the primary process has ended'
    this.#socket.on('error', (error) => {
      reason = `the connection to the primary process failed (${error.message})`
    })
    this.#socket.on('data', (chunk: Buffer) => {
      this.#frames.push(chunk)
      this.#takeAll()
    })
    this.#closed = new Promise((resolve) => {
      this.#socket.once('close', () => {
        this.#fail(reason)
        resolve()
      })
    })
  }

  get isConnected(): boolean {
    return this.#lost === undefined
  }

  /** @throws TidingsError `closed`, `log_unavailable` */
  mustBeConnected(): void {
    if (this.#lost !== undefined) throw this.#unavailable()
  }

  /**
   * Asks the primary. `take` is called with the answer before any later frame is taken.
   * @throws TidingsError `closed`, `log_unavailable`, or `append_timeout` when it may have been done; or the error of the log
   */
  ask<Value, Result>(question: Question, take: (value: Value) => Result): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.#lost !== undefined) return reject(this.#unavailable())
      const id = this.#nextId++
      const [verb] = question
      this.#pending.set(id, { verb, isSent: false, resolve: (value) => resolve(take(value as Value)), reject })
      if (this.#requests.length === 0) setImmediate(() => this.#flush())
      this.#requests.push([id, ...question])
    })
  }

  /** Waits for the answers that are due, and disconnects. */
  async close(): Promise<void> {
    if (!this.#isClosing) {
      this.#isClosing = true
      const timeout = setTimeout(() => this.#socket.destroy(), closeTimeoutMs)
      while (this.#pending.size > 0 && this.isConnected) await this.#nextSettled()
      // The primary then knows at once that this node is gone.
      await this.ask(['leave'], () => {}).catch(() => {})
      clearTimeout(timeout)
      this.#socket.destroy()
    }
    await this.#closed
  }

  #flush(): void {
    const requests = this.#requests
    this.#requests = []
    if (this.#lost !== undefined || requests.length === 0) return
    for (const [id] of requests) (this.#pending.get(id) as Pending).isSent = true
    this.#socket.write(encodeFrame(requests))
  }

  /** After answers, it continues when all that waited for them has run: it must see the log as it was at the time of the answer. */
  #takeAll(): void {
    if (this.#isPaused) return
    try {
      for (let frame = this.#frames.next(); frame !== undefined; frame = this.#frames.next()) {
        const one = frame as Frame
        if (one[0] !== 'answers') this.#handler.take(one)
        else if (this.#answer(one[1])) return
      }
    } catch (error) {
      this.#socket.destroy(error as Error)
    }
  }

  #answer(answers: readonly Answer[]): true {
    for (const [id, value, error] of answers) {
      const pending = this.#pending.get(id)
      this.#pending.delete(id)
      if (error) pending?.reject(decodeError(error))
      else pending?.resolve(value)
    }
    this.#settled()
    this.#isPaused = true
    queueMicrotask(() =>
      process.nextTick(() => {
        this.#isPaused = false
        this.#takeAll()
      })
    )
    return true
  }

  #nextSettled(): Promise<void> {
    return new Promise((resolve) => {
      this.#settled = resolve
    })
  }

  #fail(reason: string): void {
    this.#lost = reason
    for (const { verb, isSent, reject } of this.#pending.values()) {
      const mayBeDone = isSent && (verb === 'append' || verb === 'announce' || verb === 'delete')
      reject(mayBeDone ? new TidingsError('append_timeout', reason) : this.#unavailable())
    }
    this.#pending.clear()
    this.#settled()
    if (!this.#isClosing) this.#handler.lost(reason)
  }

  #unavailable(): TidingsError {
    return this.#isClosing ? new TidingsError('closed') : new TidingsError('log_unavailable', this.#lost)
  }
}
