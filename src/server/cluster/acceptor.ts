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
  /** Connections on their way to each worker. This process has them too until the worker says that it has them. */
  readonly #passed = new Map<Worker, Map<number, Socket>>()
  /** Connections that arrived while no worker took any. */
  readonly #waiting: Waiting[] = []
  #ids = 0

  /**
   * The last `plain` addresses are without TLS.
   * Rejects with the error of `net.Server.listen` if an address cannot be used.
   */
  async listenAll(addresses: readonly Address[], plain: number, isSecure: boolean): Promise<void> {
    for (const [at, address] of addresses.entries()) {
      await this.#listen(address, isSecure && at < addresses.length - plain)
    }
  }

  /** From now on, the worker gets connections. */
  add(worker: Worker): void {
    this.#takers.add(worker)
    for (const waiting of this.#waiting.splice(0)) this.#pass(waiting)
  }

  /** The worker stops. */
  remove(worker: Worker): void {
    this.#takers.delete(worker)
  }

  /** The worker has a connection. */
  taken(worker: Worker, id: number): void {
    this.#passed.get(worker)?.get(id)?.destroy()
    this.#passed.get(worker)?.delete(id)
  }

  /** The worker has ended. Clients whose connections were on their way see them closed, and connect again. */
  ended(worker: Worker): void {
    this.remove(worker)
    for (const socket of this.#passed.get(worker)?.values() ?? []) socket.destroy()
    this.#passed.delete(worker)
  }

  /** Stops accepting, on all addresses but the last ones if `keep` is given. */
  close(keep = 0): void {
    for (const server of this.#servers.slice(0, this.#servers.length - keep)) if (server.listening) server.close()
    if (keep === 0) for (const { socket } of this.#waiting.splice(0)) socket.destroy()
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
    const [worker] = this.#takers
    if (!worker) {
      this.#waiting.push({ listener, socket })
      return
    }
    // The next connection is for the next worker.
    this.#takers.delete(worker)
    this.#takers.add(worker)
    const id = ++this.#ids
    const passed = this.#passed.get(worker) ?? new Map<number, Socket>()
    this.#passed.set(worker, passed.set(id, socket))
    const message: PassedConnection = { tidings: 'connection', id, listener }
    worker.send(message, socket, { keepOpen: true }, (error) => {
      if (error) this.taken(worker, id)
    })
  }
}
