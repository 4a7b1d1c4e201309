// Limits the streams of the server: how many there are at a time, how fast new ones begin, and how much memory the
// process uses.
import { OptionError, TidingsError } from '../../errors.ts'
import { networkKey } from './network-key.ts'
import { PublishRate } from './publish-rate.ts'

/** Each limit is a number of at least 0. The default, 0, is no limit. A client over a limit gets the named error. */
export interface LimitOptions {
  /** Streams at a time; beyond, 503 `connections_too_many`. */
  maxConnections?: number
  /** Streams at a time from one IPv4 address or one IPv6 /64 network; beyond, 429 `address_too_many`. */
  maxConnectionsPerAddress?: number
  /** Streams at a time whose tokens have the same subject (`sub`); beyond, 429 `subject_too_many`. */
  maxConnectionsPerSubject?: number
  /**
   * Publish requests per second, and in one burst, from one token subject, or from one address if there is no subject;
   * beyond, 429 `publishing_too_fast`.
   */
  publishRate?: number
  /** New streams per second. Further streams wait for at most ten seconds, then get 503 `connecting_too_fast`. */
  connectRate?: number
  /** Bytes of resident memory of the process above which a new stream gets 503 `memory_full`. */
  maxMemory?: number
}

/** Seconds that a new stream may wait for its turn. */
const maxWaitSeconds = 10
/** Milliseconds between two measurements of the memory. */
const memoryCheckMs = 250

/** Limits that several processes may share. */
export interface Limiter {
  /** Admits one more stream, and returns a function to call when it has ended. */
  enter(address: string, subject: string | undefined, options?: { readonly isPaced?: boolean }): Promise<() => void>
  /** Counts a stream that the hub does not count yet, until `decide` settles. */
  hold<Result>(decide: () => Promise<Result>): Promise<Result>
  /** Counts one publish request. */
  publish(address: string, subject: string | undefined): void | Promise<void>
  /** Changes the limits. */
  adjust(options: LimitOptions): void
}

export class Limits implements Limiter {
  #options: Required<LimitOptions>
  readonly #streams: () => number
  readonly #byAddress = new Map<string, number>()
  readonly #bySubject = new Map<string, number>()
  #publishRate: PublishRate
  /** Streams that are counted by no one else: they wait for their turn, or for a decision. */
  #waiting = 0
  /** When the next new stream may begin, in the time of `performance.now`. */
  #nextTurn = 0
  #memory = 0
  #memoryMeasuredAt = Number.NEGATIVE_INFINITY

  /**
   * @param streams returns the current number of streams
   * @throws OptionError that names the bound that is none
   */
  constructor(options: LimitOptions, streams: () => number) {
    this.#options = resolveLimits(options)
    this.#publishRate = new PublishRate(this.#options.publishRate)
    this.#streams = streams
  }

  /** Streams that are counted by no one else. */
  get waiting(): number {
    return this.#waiting
  }

  /**
   * Changes the limits. Streams that began while there was no limit per address or subject are not counted towards a
   * new one.
   * @throws OptionError as the constructor does
   */
  adjust(options: LimitOptions): void {
    this.#options = resolveLimits(options)
    this.#publishRate = new PublishRate(this.#options.publishRate)
  }

  /**
   * Admits one more stream, and returns a function to call when it has ended. A stream that is not paced does not wait for its turn.
   * @throws TidingsError `connections_too_many`, `address_too_many`, `subject_too_many`, `connecting_too_fast`,
   * `memory_full`
   */
  async enter(address: string, subject: string | undefined, { isPaced = true } = {}): Promise<() => void> {
    const { maxConnections, maxConnectionsPerAddress, maxConnectionsPerSubject } = this.#options
    this.#requireMemory()
    if (maxConnections > 0 && this.#streams() + this.#waiting >= maxConnections) {
      throw new TidingsError('connections_too_many')
    }
    const leaves = [acquire(this.#byAddress, networkKey(address), maxConnectionsPerAddress, 'address_too_many')]
    try {
      leaves.push(acquire(this.#bySubject, subject, maxConnectionsPerSubject, 'subject_too_many'))
      if (isPaced) await this.#wait()
    } catch (error) {
      releaseAll(leaves)
      throw error
    }
    return leaves.every((leave) => leave === noop) ? noop : once(() => releaseAll(leaves))
  }

  /** Counts a stream that the hub does not count yet, until `decide` settles. */
  async hold<Result>(decide: () => Promise<Result>): Promise<Result> {
    this.#waiting++
    try {
      return await decide()
    } finally {
      this.#waiting--
    }
  }

  /**
   * Counts one publish request.
   * @throws TidingsError `publishing_too_fast`
   */
  publish(address: string, subject: string | undefined): void {
    this.#publishRate.count(address, subject)
  }

  /** A new stream waits instead of being refused: an EventSource gives up on an error, but not on a slow response. */
  async #wait(): Promise<void> {
    const { connectRate } = this.#options
    if (connectRate === 0) return
    const now = performance.now()
    const turn = Math.max(now, this.#nextTurn)
    if (turn - now > maxWaitSeconds * 1_000) throw new TidingsError('connecting_too_fast')
    this.#nextTurn = turn + 1_000 / connectRate
    if (turn <= now) return
    this.#waiting++
    await new Promise((resolve) => setTimeout(resolve, turn - now))
    this.#waiting--
  }

  #requireMemory(): void {
    const { maxMemory } = this.#options
    if (maxMemory === 0) return
    const now = performance.now()
    if (now - this.#memoryMeasuredAt >= memoryCheckMs) {
      this.#memory = process.memoryUsage.rss()
      this.#memoryMeasuredAt = now
    }
    if (this.#memory > maxMemory) throw new TidingsError('memory_full')
  }
}

function noop(): void {}

function acquire(
  counts: Map<string, number>,
  key: string | undefined,
  limit: number,
  code: 'address_too_many' | 'subject_too_many'
): () => void {
  if (limit === 0 || key === undefined) return noop
  const count = counts.get(key) ?? 0
  if (count >= limit) throw new TidingsError(code, `the limit is ${limit}`)
  counts.set(key, count + 1)
  return () => {
    const left = (counts.get(key) ?? 1) - 1
    if (left > 0) counts.set(key, left)
    else counts.delete(key)
  }
}

function releaseAll(leaves: readonly (() => void)[]): void {
  for (const leave of leaves) leave()
}

/** Calls a function only the first time. */
export function once(act: () => void): () => void {
  let isDone = false
  return () => {
    if (!isDone) act()
    isDone = true
  }
}

function resolveLimits(options: LimitOptions): Required<LimitOptions> {
  const none = {
    maxConnections: 0,
    maxConnectionsPerAddress: 0,
    maxConnectionsPerSubject: 0,
    publishRate: 0,
    connectRate: 0,
    maxMemory: 0
  }
  const bounds = Object.keys(none).map((name) => {
    const value = options[name as keyof LimitOptions] ?? 0
    if (!(value >= 0)) throw new OptionError(name, `expected a number of at least 0, got ${value}`)
    return [name, value]
  })
  return Object.fromEntries(bounds) as Required<LimitOptions>
}
