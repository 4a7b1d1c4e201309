// Holds many subscriptions open, and counts the payloads that arrive.
import { connect, type Socket } from 'node:net'
import { countPayloads, stamps } from './counter.ts'
import type { Target } from './protocol.ts'

const OPENING_AT_ONCE = 128
const SAMPLED = 50
const HEAD_END = '\r\n\r\n'

interface Subscriber {
  socket: Socket
  head: string
  open: boolean
  sampled: boolean
  received: number
}

// All sockets read into this one buffer. Payloads are counted before the next read, and not kept.
const shared = Buffer.allocUnsafe(256 * 1024)

export class Subscribers {
  deliveries = 0
  hungUp = 0
  latencies: number[] = []
  readonly #target: Target
  readonly #all: Subscriber[] = []
  constructor(target: Target) {
    this.#target = target
  }

  /** Latency is measured on a server other than the one that receives the publishes, if there is one. */
  async open(count: number): Promise<void> {
    const { subscribePorts: ports, publishPorts } = this.#target
    const away = ports.filter((port) => !publishPorts.includes(port))
    const sampledPorts = away.length > 0 ? away : ports
    const every = Math.max(1, Math.floor(count / SAMPLED))
    for (let from = 0; from < count; from += OPENING_AT_ONCE) {
      const batch = Array.from({ length: Math.min(OPENING_AT_ONCE, count - from) }, (_, at) => from + at)
      const opening = batch.map((at) => {
        const port = ports[at % ports.length] ?? 0
        return this.#openOne(port, at % every === 0 && sampledPorts.includes(port))
      })
      await Promise.all(opening)
    }
  }

  /** Resets the connections, so that ten thousand source ports are free again at once. */
  leave(): void {
    for (const { socket } of this.#all.splice(0)) socket.removeAllListeners('close').resetAndDestroy()
  }

  /** The number of payloads that the slowest subscriber has received. */
  get least(): number {
    return this.#all.reduce((least, { received }) => Math.min(least, received), Number.POSITIVE_INFINITY)
  }

  /** The sums of missing and of additional payloads, if each subscriber should have `published`. */
  difference(published: number): { missing: number; surplus: number } {
    let missing = 0
    let surplus = 0
    for (const { received } of this.#all) {
      if (received < published) missing += published - received
      else surplus += received - published
    }
    return { missing, surplus }
  }

  #openOne(port: number, sampled: boolean): Promise<void> {
    const request =
      `GET ${this.#target.subscribePath} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n` +
      'Accept: text/event-stream\r\nCache-Control: no-cache\r\n\r\n'
    return new Promise((resolve, reject) => {
      const callback = (size: number): boolean => {
        if (subscriber.open) this.#count(subscriber, 0, size)
        else this.#readHead(subscriber, size, resolve, reject)
        return true
      }
      const socket = connect({ port, host: '127.0.0.1', onread: { buffer: shared, callback } })
      const subscriber: Subscriber = { socket, head: '', open: false, sampled, received: 0 }
      this.#all.push(subscriber)
      socket.setNoDelay(true).write(request)
      socket.on('error', reject).on('close', () => {
        this.hungUp++
        reject(new Error('a subscriber was hung up on before its response head'))
      })
    })
  }

  #readHead(subscriber: Subscriber, size: number, resolve: () => void, reject: (why: Error) => void): void {
    const before = subscriber.head.length
    subscriber.head += shared.toString('latin1', 0, size)
    const end = subscriber.head.indexOf(HEAD_END)
    if (end < 0) return
    if (!/^HTTP\/1\.1 200 /.test(subscriber.head)) {
      reject(new Error(`a subscriber was answered: ${subscriber.head.slice(0, end)}`))
      return
    }
    subscriber.open = true
    subscriber.head = ''
    resolve()
    this.#count(subscriber, end + HEAD_END.length - before, size)
  }

  #count(subscriber: Subscriber, from: number, to: number): void {
    const count = countPayloads(shared, from, to, this.#target.payloadBytes)
    subscriber.received += count
    this.deliveries += count
    if (subscriber.sampled && count > 0) this.#sample(from, to)
  }

  #sample(from: number, to: number): void {
    const now = performance.now()
    for (const stamp of stamps(shared, from, to, this.#target.payloadBytes)) this.latencies.push(now - stamp)
  }
}
