// The TCP connections of one listener: handles their errors, closes those that never send a first byte, and closes the rest
// when the server stops.
import type { Socket } from 'node:net'
import { ignoreErrors } from '../http/stream/stream.ts'

const tracker = Symbol('the Connections that a socket belongs to')
type TrackedSocket = Socket & { [tracker]?: Connections }

// One listener of each kind for all sockets: an idle stream costs little memory, and closures would be a large part of it.
function onClose(this: TrackedSocket): void {
  this[tracker]?.remove(this)
}

export class Connections {
  readonly #all = new Set<Socket>()
  /** Connections whose protocol is not known yet, each with its timeout. */
  readonly #pending = new Map<Socket, NodeJS.Timeout>()
  readonly #timeoutMs: number
  #becameEmpty: (() => void) | undefined

  /** @param timeoutMs how long a client may take to send the bytes that tell the protocol */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs
  }

  /** For the `connection` event. */
  readonly add = (socket: TrackedSocket): void => {
    this.#all.add(socket)
    socket[tracker] = this
    socket.on('close', onClose)
    // A reset can arrive before node:http listens for errors.
    ignoreErrors(socket)
  }

  remove(socket: Socket): void {
    this.#all.delete(socket)
    this.settle(socket)
    if (this.#all.size === 0) this.#becameEmpty?.()
  }

  /** Resolves when all connections are closed. */
  async closed(): Promise<void> {
    if (this.#all.size === 0) return
    await new Promise<void>((resolve) => {
      this.#becameEmpty = resolve
    })
  }

  /** Closes the connection unless `settle` is called in time. */
  expectProtocol(socket: Socket): void {
    this.#pending.set(
      socket,
      setTimeout(() => socket.destroy(), this.#timeoutMs)
    )
  }

  settle(socket: Socket): void {
    clearTimeout(this.#pending.get(socket))
    this.#pending.delete(socket)
  }

  /** Closes connections without a request: `server.close` does not count them as idle, and would wait for them. */
  closeSilent(): void {
    for (const socket of this.#all) if (socket.bytesRead === 0 || this.#pending.has(socket)) socket.destroy()
  }

  destroy(): void {
    for (const socket of this.#all) socket.destroy()
  }
}
