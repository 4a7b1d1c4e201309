// How much of the server one client, and all of them together, may use. It knows addresses and subjects as names only.
import { OptionError, TidingsError } from '../../errors.ts'

/** A bound of 0, which is the default of each, is none. */
export interface LimitOptions {
  /** Streams at a time. */
  maxConnections?: number
  /** Streams at a time from one address; of IPv6, from one network of 64 bits. */
  maxConnectionsPerAddress?: number
  /** Streams at a time for one subject of tokens (`sub`). */
  maxConnectionsPerSubject?: number
  /** Requests to publish a second, of one subject or else one address; as many may come at once. */
  publishRate?: number
  /** New streams a second in all. Those that come faster wait, for ten seconds at most. */
  connectRate?: number
  /** Bytes of memory of the process above which no new stream is taken. */
  maxMemory?: number
}

/** How long a new stream may wait for its turn, in seconds. */
const maxWaitSeconds = 10
/** How often the memory is looked at, in milliseconds. */
const memoryCheckMs = 250
/** Publishers whose rate is remembered. */
const maxPublishers = 10_000

export class Limits {
  #options: Required<LimitOptions>
  readonly #streams: () => number
  readonly #byAddress = new Map<string, number>()
  readonly #bySubject = new Map<string, number>()
  readonly #publishers = new Map<string, Bucket>()
  /** Streams that wait for their turn, or about which something is yet to be decided. */
  #waiting = 0
  /** When the next new stream has its turn, on the clock of `performance.now`. */
  #turn = 0
  #memory = 0
  #lookedAt = Number.NEGATIVE_INFINITY

  /**
   * @param streams how many there are at the moment
   * @throws OptionError for a limit that is no number of at least 0
   */
  constructor(options: LimitOptions, streams: () => number) {
    this.#options = resolveLimits(options)
    this.#streams = streams
  }

  /**
   * Goes by other bounds from now on. Streams that began while those of an address or a subject were not counted are not
   * counted now.
   * @throws OptionError as the constructor does
   */
  adjust(options: LimitOptions): void {
    this.#options = resolveLimits(options)
    this.#publishers.clear()
  }

  /**
   * Takes one more stream, and answers what to call when it has ended.
   * @throws TidingsError `connections_too_many`, `address_too_many`, `subject_too_many`, `connecting_too_fast`, `memory_full`
   */
  async enter(address: string, subject: string | undefined): Promise<() => void> {
    const { maxConnections, maxConnectionsPerAddress, maxConnectionsPerSubject } = this.#options
    this.#requireMemory()
    if (maxConnections > 0 && this.#streams() + this.#waiting >= maxConnections) {
      throw new TidingsError('connections_too_many')
    }
    const leaves = [acquire(this.#byAddress, networkOf(address), maxConnectionsPerAddress, 'address_too_many')]
    try {
      leaves.push(acquire(this.#bySubject, subject, maxConnectionsPerSubject, 'subject_too_many'))
      await this.#wait()
    } catch (error) {
      releaseAll(leaves)
      throw error
    }
    return leaves.every((leave) => leave === noop) ? noop : once(() => releaseAll(leaves))
  }

  /** Counts a stream among those that there are, for as long as something about it is to be decided. */
  async hold<Result>(decide: () => Promise<Result>): Promise<Result> {
    this.#waiting++
    try {
      return await decide()
    } finally {
      this.#waiting--
    }
  }

  /** Counts one request to publish. @throws TidingsError `publishing_too_fast` */
  publish(address: string, subject: string | undefined): void {
    const { publishRate } = this.#options
    if (publishRate === 0) return
    const key = subject === undefined ? networkOf(address) : `sub ${subject}`
    const bucket = this.#publishers.get(key) ?? new Bucket(publishRate)
    // Whoever published last is remembered longest.
    this.#publishers.delete(key)
    this.#publishers.set(key, bucket)
    if (this.#publishers.size > maxPublishers) this.#publishers.delete(this.#publishers.keys().next().value as string)
    if (!bucket.take()) throw new TidingsError('publishing_too_fast', `${publishRate} requests a second are allowed`)
  }

  /** A browser gives up on a stream that is refused, and waits for one that is not answered yet. */
  async #wait(): Promise<void> {
    const { connectRate } = this.#options
    if (connectRate === 0) return
    const now = performance.now()
    const turn = Math.max(now, this.#turn)
    if (turn - now > maxWaitSeconds * 1_000) throw new TidingsError('connecting_too_fast')
    this.#turn = turn + 1_000 / connectRate
    if (turn <= now) return
    this.#waiting++
    await new Promise((resolve) => setTimeout(resolve, turn - now))
    this.#waiting--
  }

  #requireMemory(): void {
    const { maxMemory } = this.#options
    if (maxMemory === 0) return
    const now = performance.now()
    if (now - this.#lookedAt >= memoryCheckMs) {
      this.#memory = process.memoryUsage.rss()
      this.#lookedAt = now
    }
    if (this.#memory > maxMemory) throw new TidingsError('memory_full')
  }
}

function noop(): void {}

/** So many at once, and as many a second. */
class Bucket {
  readonly #rate: number
  #left: number
  #at = performance.now()

  constructor(rate: number) {
    this.#rate = rate
    this.#left = rate
  }

  take(): boolean {
    const now = performance.now()
    this.#left = Math.min(this.#rate, this.#left + ((now - this.#at) / 1_000) * this.#rate)
    this.#at = now
    if (this.#left < 1) return false
    this.#left--
    return true
  }
}

function acquire(
  counts: Map<string, number>,
  key: string | undefined,
  bound: number,
  code: 'address_too_many' | 'subject_too_many'
): () => void {
  if (bound === 0 || key === undefined) return noop
  const count = counts.get(key) ?? 0
  if (count >= bound) throw new TidingsError(code, `${bound} are allowed`)
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

function once(act: () => void): () => void {
  let isDone = false
  return () => {
    if (!isDone) act()
    isDone = true
  }
}

/** Whoever has one address of IPv6 has all of its network of 64 bits. */
function networkOf(address: string): string {
  if (!address.includes(':')) return address
  const [before = '', after] = address.replace(/%.*/, '').split('::')
  const groups = before === '' ? [] : before.split(':')
  const missing = after === undefined ? 0 : 8 - groups.length - (after === '' ? 0 : after.split(':').length)
  const all = [...groups, ...Array.from({ length: missing }, () => '0'), ...(after ? after.split(':') : [])]
  return `${all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`
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
