// Holds many event streams open, and counts the events with a mark that arrive.
import { connect, type Socket } from 'node:net'
import { type RequestParts, requestText } from './requests.ts'

/** Ends the data of each update, and occurs nowhere else. */
export const mark = '~'
const markByte = mark.charCodeAt(0)
const openingAtOnce = 256

// All sockets read into this one buffer, since nothing is kept.
const shared = Buffer.allocUnsafe(256 * 1_024)

interface Stream {
  readonly socket: Socket
  isOpen: boolean
  received: number
}

export class Streams {
  /** Events with a mark, on all streams. */
  received = 0
  closed = 0
  /** Called when events arrive, with the index of the stream. */
  onEvents: (index: number, bytes: Buffer) => void = () => {}
  readonly #all: Stream[] = []

  get size(): number {
    return this.#all.length
  }

  /** The number of events that each stream has received. */
  get counts(): number[] {
    return this.#all.map(({ received }) => received)
  }

  /** Opens so many streams, and resolves when each has its response head. */
  async open(port: number, count: number, requestOf: (index: number) => RequestParts): Promise<void> {
    let next = 0
    const openSome = async () => {
      while (next < count) await this.#openOne(port, requestOf(next++))
    }
    await Promise.all(Array.from({ length: Math.min(openingAtOnce, count) }, openSome))
  }

  /** Resets the connections, so that their ports are free again at once. */
  leave(): void {
    for (const { socket } of this.#all.splice(0)) socket.removeAllListeners('close').resetAndDestroy()
  }

  #openOne(port: number, request: RequestParts): Promise<void> {
    return new Promise((resolve, reject) => {
      const index = this.#all.length
      let head = ''
      const callback = (size: number): boolean => {
        if (stream.isOpen) this.#count(stream, index, 0, size)
        else {
          const before = head.length
          head += shared.toString('latin1', 0, size)
          const end = head.indexOf('\r\n\r\n')
          if (end < 0) return true
          if (!head.startsWith('HTTP/1.1 200')) reject(new Error(`a stream was answered: ${head.slice(0, end)}`))
          stream.isOpen = true
          head = ''
          resolve()
          this.#count(stream, index, end + 4 - before, size)
        }
        return true
      }
      const socket = connect({ port, host: '127.0.0.1', onread: { buffer: shared, callback } })
      const stream: Stream = { socket, isOpen: false, received: 0 }
      this.#all.push(stream)
      socket.setNoDelay(true).write(requestText(port, request))
      socket.on('error', reject).on('close', () => {
        this.closed++
        reject(new Error('a stream was closed before its response head'))
      })
    })
  }

  #count(stream: Stream, index: number, from: number, to: number): void {
    let found = 0
    for (let at = shared.indexOf(markByte, from); at !== -1 && at < to; at = shared.indexOf(markByte, at + 1)) found++
    if (found === 0) return
    stream.received += found
    this.received += found
    this.onEvents(index, shared.subarray(from, to))
  }
}
