// Follows the log on a connection of its own, where one command waits for the next entry, and continues at its position after
// that connection was lost. Redis keeps removed entries until all followers have read them, so each reports its position. The same
// command waits for messages of other nodes.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Entry } from '../log.ts'
import { sizeOf } from '../size.ts'
import { type Row, readEntries } from './codec.ts'
import type { RedisConnection } from './connection.ts'
import type { RedisInbox } from './inbox.ts'
import type { Answer, RedisStore } from './store.ts'

/** How long Redis may wait for an entry before the state of the log is checked: Redis may have been emptied. */
const blockMs = 1_000
/** How often a follower reports its position. Redis waits ten times as long for one that is silent. */
const reportMs = 1_000
/** How much is read at once: as many entries as make a page, if they are like the last ones. Each read waits behind appends. */
const page = { bytes: 2 ** 20, minEntries: 256, maxEntries: 2_048 }

interface Listener {
  deliver(entries: readonly Entry[]): void
  /** Where the log ended when following began. */
  readonly epoch: string
  readonly after: number
}

export class RedisFollower {
  readonly #id = crypto.randomUUID()
  readonly #store: RedisStore
  readonly #inbox: RedisInbox
  readonly #connect: () => RedisConnection
  readonly #listeners = new Set<Listener>()
  readonly #stop = new AbortController()
  #connection: RedisConnection | undefined
  #epoch = ''
  #after = 0
  #reportedAt = -Infinity
  #pageEntries = page.minEntries
  /** Whether entries came a moment ago, so that more are likely. */
  #isBusy = false
  #isReady = true
  #stepped: () => void = () => {}

  constructor(store: RedisStore, inbox: RedisInbox, connect: () => RedisConnection) {
    this.#store = store
    this.#inbox = inbox
    this.#connect = connect
  }

  /**
   * Follows from the head that this node knows, which is what the caller has seen; what another node appended a moment ago comes
   * after it. Resolves when Redis keeps for this follower what it has yet to read, or could not be told; following then begins when Redis
   * answers.
   */
  async add(deliver: (entries: readonly Entry[]) => void): Promise<void> {
    const { epoch, head: after } = this.#store.state
    this.#listeners.add({ deliver, epoch, after })
    if (this.#connection) return
    this.#connection = this.#connect()
    this.#epoch = epoch
    this.#after = after
    const reported = this.#report().catch(() => {
      this.#isReady = false
    })
    // Without an inbox, the next report creates it.
    await Promise.all([reported, this.#inbox.keep().catch(() => {})])
    if (!this.#stop.signal.aborted) void this.#run(this.#connection)
  }

  /** Resolves when everything was delivered that this node knows to be in the log. */
  async caughtUp(): Promise<void> {
    while (this.#connection && !this.#stop.signal.aborted && this.#isBehind) {
      await new Promise<void>((resolve) => {
        this.#stepped = resolve
      })
    }
  }

  /** Whether Redis answered the last command. */
  get isReady(): boolean {
    return this.#isReady
  }

  /** Stops delivering. Redis then waits no longer for this follower; one that cannot say so is forgotten by its lease. */
  async close(): Promise<void> {
    const isFollowing = this.#connection !== undefined
    this.#stop.abort()
    this.#listeners.clear()
    this.#connection?.close()
    this.#stepped()
    if (!isFollowing) return
    const unfollow = this.#store.run('maintain', { verb: 'unfollow', follower: this.#id }).catch(() => {})
    await Promise.all([unfollow, this.#inbox.remove()])
  }

  get #isBehind(): boolean {
    const { epoch, head } = this.#store.state
    return epoch !== this.#epoch || this.#after < head
  }

  /** Never rejects: the connection reports what went wrong. */
  async #run(connection: RedisConnection): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      try {
        await this.#step(connection)
        this.#isReady = true
        this.#stepped()
      } catch {
        this.#isReady = false
        // A Redis that refuses, because it is loading its data for example, does so at once.
        await sleep(50, undefined, { signal }).catch(() => {})
      }
    }
  }

  /** Under load both commands are sent at once, which saves a round trip: what is read of another epoch is dropped. */
  async #step(connection: RedisConnection): Promise<void> {
    const checking = this.#check(connection)
    if (!this.#isBusy) this.#turnTo((await checking).epoch)
    this.#isBusy = false
    const [{ epoch }, entries] = await Promise.all([checking, this.#next(connection)])
    if (epoch !== this.#epoch) return
    this.#isBusy = entries.length > 0
    if (this.#isBusy) this.#pageEntries = entriesPerPage(entries)
    this.#deliver(entries)
  }

  #turnTo(epoch: string): void {
    if (epoch === this.#epoch) return
    this.#epoch = epoch
    this.#after = 0
    this.#reportedAt = -Infinity
  }

  #check(connection: RedisConnection): Promise<Answer> {
    if (performance.now() - this.#reportedAt >= reportMs) {
      // A lease lasts several of these intervals, and entries must not wait for messages.
      this.#inbox.keep(connection).catch(() => {})
      return this.#report(connection)
    }
    return this.#store.run('query', { verb: 'state' }, connection)
  }

  async #report(connection?: RedisConnection): Promise<Answer> {
    const position = { follower: this.#id, of: this.#epoch, offset: this.#after }
    const answer = await this.#store.run('maintain', { verb: 'follow', ...position }, connection)
    if (answer.epoch === this.#epoch) this.#reportedAt = performance.now()
    return answer
  }

  async #next(connection: RedisConnection): Promise<Entry[]> {
    const stream = this.#store.keyOf(this.#epoch, 'entries')
    const { key: inbox, after } = this.#inbox
    const wait = ['COUNT', String(this.#pageEntries), 'BLOCK', String(blockMs)]
    const streams = ['STREAMS', stream, inbox, `${this.#after}-0`, after]
    const answer = ((await connection.send(['XREAD', ...wait, ...streams], blockMs)) ?? []) as [string, Row[]][]
    const rowsOf = (key: string) => answer.find(([name]) => name === key)?.[1] ?? []
    const entries = readEntries(this.#epoch, rowsOf(stream))
    if (!this.#stop.signal.aborted) this.#inbox.receive(rowsOf(inbox))
    return entries
  }

  #deliver(entries: readonly Entry[]): void {
    const newest = entries.at(-1)
    if (!newest || this.#stop.signal.aborted) return
    this.#after = newest.offset
    this.#store.delivered(entries)
    for (const { deliver, epoch, after } of this.#listeners) {
      const wanted = entries.filter((entry) => entry.epoch !== epoch || entry.offset > after)
      if (wanted.length > 0) deliver(wanted)
    }
  }
}

function entriesPerPage(entries: readonly Entry[]): number {
  const bytes = entries.reduce((sum, { update }) => sum + sizeOf(update), 0)
  return Math.min(page.maxEntries, Math.max(page.minEntries, Math.round((page.bytes * entries.length) / bytes)))
}
