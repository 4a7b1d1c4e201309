// The primary's part: serves its log to workers. It follows the log once, and writes the same bytes of each batch to every worker.
import { randomBytes } from 'node:crypto'
import { createServer, type Server, type Socket } from 'node:net'
import type { Entry } from '../log.ts'
import { encodeFrame } from './frames.ts'
import { encodeBatch, type WireState } from './protocol.ts'
import type { OwnedLog } from './request-handler.ts'
import { newSocketPath, type SocketPath } from './socket-path.ts'
import { WorkerConnection } from './worker-connection.ts'

/** How often the workers hear of removals that no request caused, such as those of expired entries. */
const stateIntervalMs = 1_000

export interface LogServerOptions {
  /** How many bytes may wait for a worker that does not read, in addition to one batch. Beyond, it is disconnected. Default: 64 MiB. */
  maxQueuedBytes?: number
  /**
   * Whether workers read the history in a folder themselves, on their own cores, rather than through the socket. Default: true.
   */
  workersReadFolder?: boolean
}

export class LogServer {
  /** What workers pass to `WorkerLog.connect`. */
  readonly path: string
  readonly #log: OwnedLog
  readonly #maxQueuedBytes: number
  readonly #workersReadFolder: boolean
  readonly #socketPath: SocketPath
  readonly #server: Server
  readonly #workers = new Map<string, WorkerConnection>()
  readonly #timer: NodeJS.Timeout
  /** Entries that were delivered in this turn of the event loop, and are not encoded yet. */
  #undelivered: Entry[] = []
  /** Offset of the newest delivered entry: the log may know of a newer one a moment before it delivers it. */
  #head: number
  #sentState: WireState
  #isFlushRequested = false
  #isClosed = false

  /** Serves a log. Its owner closes first the server, then the log. */
  static async listen(log: OwnedLog, options: LogServerOptions = {}): Promise<LogServer> {
    const server = new LogServer(log, options)
    try {
      await log.follow((entries) => server.#deliver(entries))
      await server.#listen()
      return server
    } catch (error) {
      await server.close()
      throw error
    }
  }

  private constructor(log: OwnedLog, { maxQueuedBytes = 64 * 2 ** 20, workersReadFolder = true }: LogServerOptions) {
    this.#log = log
    this.#workersReadFolder = workersReadFolder
    this.#maxQueuedBytes = maxQueuedBytes
    this.#socketPath = newSocketPath()
    this.path = this.#socketPath.path
    this.#server = createServer((socket) => this.#accept(socket))
    this.#head = log.head
    this.#sentState = this.#state
    this.#timer = setInterval(() => this.requestFlush(), stateIntervalMs).unref()
  }

  /** The number of connected workers. */
  get workers(): number {
    return this.#workers.size
  }

  /** Bytes that wait for workers to read. */
  get queuedBytes(): number {
    return [...this.#workers.values()].reduce((sum, { queuedBytes }) => sum + queuedBytes, 0)
  }

  /** Disconnects all workers. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#timer)
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const worker of this.#workers.values()) worker.end()
    await closed
    this.#socketPath.remove()
  }

  /** Sends a message to a worker. Returns whether there is one. */
  message(node: string, text: string): boolean {
    const worker = this.#workers.get(node)
    worker?.write(encodeFrame(['message', text]))
    return worker !== undefined
  }

  settle(isRead: boolean): void {
    if (this.#undelivered.length > 0) this.#sendBatch()
    if (isRead) this.#sendState()
  }

  /** Sends at the end of this turn what is to be sent. */
  requestFlush(): void {
    if (this.#isFlushRequested || this.#isClosed) return
    this.#isFlushRequested = true
    setImmediate(() => this.#flush())
  }

  #listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(this.path, resolve)
    })
  }

  #accept(socket: Socket): void {
    if (this.#isClosed) {
      socket.destroy()
      return
    }
    // What was delivered before comes to the worker as history.
    this.#flush()
    const node = randomBytes(9).toString('base64url')
    const worker = new WorkerConnection(node, socket, this.#log, this, this.#maxQueuedBytes)
    this.#workers.set(node, worker)
    const folder = this.#workersReadFolder && 'files' in this.#log ? this.#log.files.folder.path : undefined
    worker.write(encodeFrame(['hello', node, this.#log.epoch, this.#sentState, folder]))
    this.requestFlush()
  }

  /** Called by a connection whose worker has left, or was lost. */
  remove(node: string): void {
    this.#workers.delete(node)
    if ('files' in this.#log) this.#log.files.folder.readerLeft()
  }

  #deliver(entries: readonly Entry[]): void {
    this.#head = entries.at(-1)?.offset ?? this.#head
    if (this.#workers.size === 0) return
    for (const entry of entries) this.#undelivered.push(entry)
    this.requestFlush()
  }

  #flush(): void {
    this.#isFlushRequested = false
    if (this.#isClosed) return
    this.settle(true)
    for (const worker of this.#workers.values()) worker.flush()
  }

  #sendBatch(): void {
    const entries = this.#undelivered
    this.#undelivered = []
    this.#sentState = this.#state
    this.#broadcast(encodeFrame(encodeBatch(this.#sentState, entries)))
  }

  /** Sends the state if it has changed since it was last sent. */
  #sendState(): void {
    const state = this.#state
    if (state.every((value, at) => value === this.#sentState[at])) return
    this.#sentState = state
    this.#broadcast(encodeFrame(['state', state]))
  }

  #broadcast(frame: Buffer): void {
    for (const worker of this.#workers.values()) worker.write(frame)
  }

  get #state(): WireState {
    const { first, removals, hasEnds, isReady } = this.#log
    return [this.#head, first, removals, hasEnds, isReady]
  }
}
