// Listens on the addresses of the server in the primary process, and passes each connection to a worker. node:cluster does that too,
// but leaves a connection open without an answer when a worker ends, or the last one stops listening, while it is on its way.
import type { Worker } from 'node:cluster'
import { createServer, type Server, type Socket } from 'node:net'
import { type Address, urlOf } from '../address.ts'

/** How long a worker may take to take a connection, in milliseconds. */
const passTimeoutMs = 30_000

/** A message that comes with a socket. */
export interface PassedConnection {
  readonly tidings: 'connection'
  readonly id: number
  /** Which address it is of, in the order of `listenAddresses`. */
  readonly listener: number
}

interface Waiting {
  readonly listener: number
  readonly socket: Socket
}

export class Acceptor {
  readonly urls: string[] = []
  readonly #servers: Server[] = []
  /** Workers that take connections, the next one first. */
  readonly #takers = new Set<Worker>()
  /** Workers that end their streams, and still answer operators. */
  readonly #draining = new Set<Worker>()
  /** Connections on their way to each worker. This process has them too until the worker says that it has them. */
  readonly #passed = new Map<Worker, Map<number, Socket>>()
  /** Connections that arrived while no worker took any. */
  readonly #waiting: Waiting[] = []
  #ids = 0
  /** How many of the last addresses are for operators. */
  #opsAddresses = 0

  /**
   * The last addresses are for operators, and without TLS.
   * Rejects with the error of `net.Server.listen` if an address cannot be used.
   */
  async listenAll(addresses: readonly Address[], opsAddresses: number, isSecure: boolean): Promise<void> {
    this.#opsAddresses = opsAddresses
    for (const [at, address] of addresses.entries()) {
      await this.#listen(address, isSecure && at < addresses.length - opsAddresses)
    }
  }

  /** From now on, the worker gets connections. */
  add(worker: Worker): void {
    this.#takers.add(worker)
    for (const waiting of this.#waiting.splice(0)) this.#pass(waiting)
  }

  /** The worker stops. It gets no more clients, but operators when no other worker is left. */
  drain(worker: Worker): void {
    if (this.#takers.delete(worker)) this.#draining.add(worker)
  }

  /** The worker has a connection. */
  taken(worker: Worker, id: number): void {
    this.#passed.get(worker)?.get(id)?.destroy()
    this.#passed.get(worker)?.delete(id)
  }

  /** The worker has ended. Clients whose connections were on their way see them closed, and connect again. */
  ended(worker: Worker): void {
    this.#takers.delete(worker)
    this.#draining.delete(worker)
    for (const socket of this.#passed.get(worker)?.values() ?? []) socket.destroy()
    this.#passed.delete(worker)
  }

  /** Stops accepting clients. Operators are accepted until `close`. */
  closeToClients(): void {
    for (const [at, server] of this.#servers.entries()) if (!this.#isForOperators(at)) server.close()
  }

  /** Stops accepting. */
  close(): void {
    for (const server of this.#servers) if (server.listening) server.close()
    for (const { socket } of this.#waiting.splice(0)) socket.destroy()
  }

  #isForOperators(listener: number): boolean {
    return listener >= this.#servers.length - this.#opsAddresses
  }

  async #listen(address: Address, isSecure: boolean): Promise<void> {
    const listener = this.#servers.length
    const server = createServer({ pauseOnConnect: true }, (socket) => {
      socket.on('error', () => {})
      socket.setTimeout(passTimeoutMs, () => socket.destroy())
      this.#pass({ listener, socket })
    })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ ...address, backlog: 4_096 }, () => {
        server.removeListener('error', reject)
        resolve()
      })
    })
    this.#servers.push(server)
    this.urls.push(urlOf(address, server.address(), isSecure))
  }

  #pass({ listener, socket }: Waiting): void {
    const worker = this.#next(this.#takers) ?? (this.#isForOperators(listener) ? this.#next(this.#draining) : undefined)
    if (!worker) {
      this.#waiting.push({ listener, socket })
      return
    }
    const id = ++this.#ids
    const passed = this.#passed.get(worker) ?? new Map<number, Socket>()
    this.#passed.set(worker, passed.set(id, socket))
    const message: PassedConnection = { tidings: 'connection', id, listener }
    worker.send(message, socket, { keepOpen: true }, (error) => {
      if (error) this.taken(worker, id)
    })
  }

  /** Each connection is for another worker. */
  #next(workers: Set<Worker>): Worker | undefined {
    const [worker] = workers
    if (!worker) return undefined
    workers.delete(worker)
    workers.add(worker)
    return worker
  }
}
