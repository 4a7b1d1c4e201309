// Clients of a soak: each checks what it receives at once, and keeps nothing of it.
import { ResumingClient } from '../http/resuming-client.ts'

/** What all clients have seen. */
export interface Findings {
  received: number
  gaps: number
  /** Updates that are missing, or came twice, without a gap event; the first few, as text. */
  readonly faults: string[]
}

const maxFaults = 20

/** A client of rooms, in which each publisher counts up. */
export class RoomClient extends ResumingClient {
  readonly #findings: Findings
  /** The newest number of each publisher. */
  readonly #newest = new Map<string, number>()
  /** Since the last gap event, by publisher: its next number may be any later one. */
  #mayHaveMissed = new Set<string>()

  constructor(url: () => string, findings: Findings) {
    super(url)
    this.#findings = findings
  }

  protected override receive(event: string, data: string): void {
    if (event === 'tidings:gap') {
      this.#findings.gaps++
      this.#mayHaveMissed = new Set(this.#newest.keys())
      return
    }
    if (event !== 'message') return
    this.#findings.received++
    const [publisher = '', count = ''] = data.split(' ', 2)
    const number = Number(count)
    const before = this.#newest.get(publisher)
    this.#newest.set(publisher, number)
    const isAllowed = before === undefined || number === before + 1 || this.#mayHaveMissed.has(publisher)
    this.#mayHaveMissed.delete(publisher)
    if (isAllowed && (before === undefined || number > before)) return
    if (this.#findings.faults.length < maxFaults) {
      this.#findings.faults.push(`${publisher}: ${number} after ${before}, ${this.describe()}`)
    }
  }
}

/** A client of one topic that ends. */
export class JobClient extends ResumingClient {
  hasEnd = false

  protected override receive(_: string, data: string): void {
    if (data === 'end') this.hasEnd = true
  }
}
