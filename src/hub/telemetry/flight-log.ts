// The changes of state of one stream, for the question why its client missed an update. Most streams have none but "live at once", which
// is one shared object. The others have four numbers for each change, and at most 32 changes.
import type { Gap } from '../history/position.ts'

/** What changed, and why. The numbers are stored. */
export const flightCodes = {
  live: 1,
  /** The connection is full; the value is the number of buffered bytes. */
  full: 2,
  /** Sweeps do not keep up with publishing. */
  overrun: 3,
  /** The log skipped entries. */
  skipped: 4,
  /** A change of the stream waits for its position. */
  changing: 5,
  /** A change took effect; the value is the number of selectors. */
  changed: 6
} as const

export type FlightCode = (typeof flightCodes)[keyof typeof flightCodes]

export interface FlightRecord {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly code: FlightCode
  readonly offset: number
  readonly value: number
}

const maxRecords = 32
/** Numbers of one record: time, code, offset, value. */
const width = 4

export class FlightLog {
  /** Of a stream that had nothing to catch up when it began, and was live ever since. */
  static readonly liveAtOnce = new FlightLog(undefined, true)
  readonly gap: Gap | undefined
  /** Whether the stream was live from the beginning, before the first record. */
  readonly beganLive: boolean
  /** Older records that were dropped. */
  dropped = 0
  #numbers: number[] | undefined

  constructor(gap: Gap | undefined, beganLive: boolean) {
    this.gap = gap
    this.beganLive = beganLive
  }

  /** Adds a record, and returns the log that has it: a new one where there is none, or a shared one. */
  static add(log: FlightLog | undefined, code: FlightCode, offset: number, value: number): FlightLog {
    const own = log && log !== FlightLog.liveAtOnce ? log : new FlightLog(undefined, log !== undefined)
    own.#add(code, offset, value)
    return own
  }

  /** Whether the newest record is that the stream became live. */
  static endsLive(log: FlightLog | undefined): boolean {
    if (!log) return false
    const code = log.#numbers?.[log.#numbers.length - width + 1]
    return code === undefined ? log.beganLive : code === flightCodes.live
  }

  get records(): FlightRecord[] {
    const numbers = this.#numbers ?? []
    return Array.from({ length: numbers.length / width }, (_, at) => {
      const [time, code, offset, value] = numbers.slice(at * width, (at + 1) * width) as [
        number,
        number,
        number,
        number
      ]
      return { at: time, code: code as FlightCode, offset, value }
    })
  }

  #add(code: FlightCode, offset: number, value: number): void {
    if (!this.#numbers) {
      // A literal has room for exactly these four.
      this.#numbers = [Date.now(), code, offset, value]
      return
    }
    if (this.#numbers.length === maxRecords * width) {
      this.#numbers.splice(0, width)
      this.dropped++
    }
    this.#numbers.push(Date.now(), code, offset, value)
  }
}
