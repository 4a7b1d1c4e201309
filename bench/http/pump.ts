// Sends one HTTP/1.1 request after the other on each of many keep-alive connections, and measures until the responses arrive.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { cpuMicros } from '../support/cpu.ts'

/** Makes the bytes of the next request. */
export type NextRequest = () => string | Buffer

/** One connection, with one request in flight. */
export class Lane {
  readonly #socket: Socket
  #pending = ''
  /** The length of the last whole response. Most responses of a benchmark have the same, which saves parsing. */
  #usual = 0
  #settle: ((status: number) => void) | undefined

  static async open(port: number): Promise<Lane> {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    return new Lane(socket)
  }

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true).on('data', (bytes) => this.#read(bytes))
    socket.on('error', () => {}).on('close', () => this.#finish(0))
  }

  /** Resolves with the status, or 0 when the connection broke. */
  send(request: string | Buffer): Promise<number> {
    return new Promise((resolve) => {
      this.#settle = resolve
      if (this.#socket.destroyed) this.#finish(0)
      else this.#socket.write(request)
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  #read(bytes: Buffer): void {
    if (this.#pending === '' && bytes.length === this.#usual) {
      this.#finish(statusAt(bytes))
      return
    }
    this.#pending += bytes.toString('latin1')
    if (!isWhole(this.#pending)) return
    this.#usual = this.#pending.length
    const status = Number(this.#pending.slice(9, 12))
    this.#pending = ''
    this.#finish(status)
  }

  #finish(status: number): void {
    const settle = this.#settle
    this.#settle = undefined
    settle?.(status)
  }
}

function statusAt(bytes: Buffer): number {
  const digit = (at: number) => (bytes[at] ?? 0) - 0x30
  return digit(9) * 100 + digit(10) * 10 + digit(11)
}

function isWhole(response: string): boolean {
  const end = response.indexOf('\r\n\r\n')
  if (end < 0) return false
  const length = /\r\ncontent-length: *(\d+)/i.exec(response)
  if (length) return response.length >= end + 4 + Number(length[1])
  return response.startsWith('HTTP/1.1 204') || response.endsWith('\r\n0\r\n\r\n')
}

export interface PumpCounts {
  answered: number
  refused: number
  latencies: number[]
}

export interface PumpWindow extends PumpCounts {
  readonly seconds: number
  /** Microseconds. */
  readonly cpu: number
}

export class Pump {
  readonly counts: PumpCounts = { answered: 0, refused: 0, latencies: [] }
  readonly #lanes: readonly Lane[]
  readonly #next: NextRequest
  #isOn = true
  #done: Promise<unknown> = Promise.resolve()

  private constructor(lanes: readonly Lane[], next: NextRequest) {
    this.#lanes = lanes
    this.#next = next
  }

  /** Opens the connections, spread over the ports, and starts to send. */
  static async start(ports: readonly number[], inFlight: number, next: NextRequest): Promise<Pump> {
    const opening = Array.from({ length: inFlight }, (_, at) => Lane.open(ports[at % ports.length] ?? 0))
    const pump = new Pump(await Promise.all(opening), next)
    pump.#done = Promise.all(pump.#lanes.map((lane) => pump.#run(lane)))
    return pump
  }

  /** Starts a new count, and returns the old one. */
  reset(): PumpCounts {
    const { answered, refused, latencies } = this.counts
    Object.assign(this.counts, { answered: 0, refused: 0, latencies: [] })
    return { answered, refused, latencies }
  }

  /** Counts for a while, from a new start, with the processor time that the server's processes take meanwhile. */
  async measure(pids: readonly number[], seconds: number): Promise<PumpWindow> {
    const [cpuBefore, startedAt] = [cpuMicros(pids), performance.now()]
    await sleep(seconds * 1_000)
    const elapsed = (performance.now() - startedAt) / 1_000
    return { ...this.reset(), seconds: elapsed, cpu: cpuMicros(pids) - cpuBefore }
  }

  /** Waits for the responses that are in flight. */
  async stop(): Promise<void> {
    this.#isOn = false
    await this.#done
    for (const lane of this.#lanes) lane.close()
  }

  async #run(lane: Lane): Promise<void> {
    while (this.#isOn) {
      const sentAt = performance.now()
      const status = await lane.send(this.#next())
      if (status === 0) throw new Error('the server closed a connection of the benchmark')
      if (status >= 200 && status < 300) this.counts.answered++
      else this.counts.refused++
      this.counts.latencies.push(performance.now() - sentAt)
    }
  }
}
