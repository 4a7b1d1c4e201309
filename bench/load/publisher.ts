// Publishes over keep-alive connections, with one request in flight on each.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { payload } from './counter.ts'
import type { Target } from './protocol.ts'

/** One connection. Call `publish` again only after its promise has settled. */
export class Publisher {
  readonly #socket: Socket
  readonly #head: string
  readonly #target: Target
  #answer = ''
  #settle: ((status: number) => void) | undefined

  private constructor(target: Target, port: number, socket: Socket) {
    this.#socket = socket
    this.#target = target
    this.#head =
      `POST ${target.publishPath} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n` +
      `Content-Type: ${target.lines ? 'application/x-ndjson' : 'text/plain'}\r\n` +
      `Content-Length: ${body(target, 0).length}\r\n\r\n`
    socket.setNoDelay(true).on('data', (bytes) => this.#read(bytes))
    socket.on('error', () => {}).on('close', () => this.#finish(0))
  }

  static async open(target: Target, port: number): Promise<Publisher> {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    return new Publisher(target, port, socket)
  }

  /** Resolves with the status of the response, or 0 when the connection broke. Latency counts from `since`. */
  publish(since: number): Promise<number> {
    return new Promise((resolve) => {
      this.#settle = resolve
      if (this.#socket.destroyed) this.#finish(0)
      else this.#socket.write(this.#head + body(this.#target, since), 'latin1')
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  #read(bytes: Buffer): void {
    this.#answer += bytes.toString('latin1')
    const status = statusOfWhole(this.#answer)
    if (status === undefined) return
    this.#answer = ''
    this.#finish(status)
  }

  #finish(status: number): void {
    const settle = this.#settle
    this.#settle = undefined
    settle?.(status)
  }
}

/** Of constant length, and ASCII only. All lines are equal, so that making them costs less than parsing them. */
function body({ payloadBytes, lines }: Target, since: number): string {
  const data = payload(payloadBytes, since)
  return lines ? `${JSON.stringify({ topic: lines.topic, data })}\n`.repeat(lines.count) : data
}

/** The status when the response is complete; undefined before. */
function statusOfWhole(answer: string): number | undefined {
  const end = answer.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const status = Number(answer.slice(9, 12))
  const length = /\r\ncontent-length: *(\d+)/i.exec(answer)
  const whole = length
    ? answer.length >= end + 4 + Number(length[1])
    : status === 204 || answer.endsWith('\r\n0\r\n\r\n')
  return whole ? status : undefined
}
