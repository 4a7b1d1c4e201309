// The raw connections of one listener: handles their errors from the moment they are accepted, ends those that never begin to
// speak, and ends the rest when the server stops. It reads no byte.
import type { Socket } from 'node:net'

export class Connections {
  readonly #all = new Set<Socket>()
  /** Connections whose protocol is not known yet, each with the timer that ends it. */
  readonly #pending = new Map<Socket, NodeJS.Timeout>()
  readonly #timeoutMs: number

  /** @param timeoutMs how long a connection may take to say which protocol it speaks */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs
  }

  /** For the `connection` event. */
  readonly add = (socket: Socket): void => {
    this.#all.add(socket)
    socket.on('close', () => {
      this.#all.delete(socket)
      this.settle(socket)
    })
    // A reset can come before anything else listens, and an `error` without a listener ends the process.
    socket.on('error', () => {})
  }

  /** Ends the connection unless `settle` is called in time. */
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

  /** Ends connections that have not asked for anything: `server.close` does not know them, and would wait for them. */
  closeSilent(): void {
    for (const socket of this.#all) if (socket.bytesRead === 0 || this.#pending.has(socket)) socket.destroy()
  }

  destroy(): void {
    for (const socket of this.#all) socket.destroy()
  }
}
