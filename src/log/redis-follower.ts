// Follows the log on a connection of its own, where one command waits for what comes next, and goes on from where it was
// when that connection was away. It appends nothing.
import { setTimeout as sleep } from 'node:timers/promises'
import { type Entry, sizeOf } from './log.ts'
import { readEntries } from './redis-answers.ts'
import type { RedisLink } from './redis-link.ts'
import type { RedisStore } from './redis-store.ts'

/** How long Redis may wait for an entry before we ask whether the log is still the same: Redis may have been emptied. */
const patience = 1_000
/** How much is read at once: as many entries as make a page, if they are like the last ones. Each reading waits behind appends. */
const page = { bytes: 2 ** 20, fewest: 256, most: 2_048 }

interface Follower {
  deliver(entries: readonly Entry[]): void
  /** Where the log ended when following began. */
  readonly epoch: string
  readonly after: number
}

export class RedisFollower {
  readonly #store: RedisStore
  readonly #dial: () => RedisLink
  readonly #followers = new Set<Follower>()
  readonly #stop = new AbortController()
  #link: RedisLink | undefined
  #epoch = ''
  #after = 0
  #atOnce = page.fewest
  /** Whether entries came a moment ago, and so others may be there. */
  #isBusy = false
  #isWell = true
  #stepped: () => void = () => {}

  constructor(store: RedisStore, dial: () => RedisLink) {
    this.#store = store
    this.#dial = dial
  }

  /**
   * Follows from the head that this node knows, which is the one that whoever calls this has seen; what another node appended
   * a moment ago, and nobody here has heard of yet, comes after it like the rest.
   */
  add(deliver: (entries: readonly Entry[]) => void): void {
    const { epoch, head: after } = this.#store.state
    this.#followers.add({ deliver, epoch, after })
    if (this.#link) return
    this.#link = this.#dial()
    this.#epoch = epoch
    this.#after = after
    void this.#run(this.#link)
  }

  /** Resolves when everything was delivered that this node knows to be in the log. */
  async caughtUp(): Promise<void> {
    while (this.#link && !this.#stop.signal.aborted && this.#isBehind) {
      await new Promise<void>((resolve) => {
        this.#stepped = resolve
      })
    }
  }

  get #isBehind(): boolean {
    const { epoch, head } = this.#store.state
    return epoch !== this.#epoch || this.#after < head
  }

  /** Whether Redis answered when it was asked last. */
  get isWell(): boolean {
    return this.#isWell
  }

  close(): void {
    this.#stop.abort()
    this.#followers.clear()
    this.#link?.close()
    this.#stepped()
  }

  /** Never rejects: the connection has told what went wrong. */
  async #run(link: RedisLink): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      try {
        await this.#step(link)
        this.#isWell = true
        this.#stepped()
      } catch {
        this.#isWell = false
        // A Redis that refuses, because it is loading its data perhaps, does so at once.
        await sleep(50, undefined, { signal }).catch(() => {})
      }
    }
  }

  /** Under load both are asked at once, and one answer less is waited for: what is read of another epoch is dropped. */
  async #step(link: RedisLink): Promise<void> {
    const looking = this.#store.ask('look', ['state'], link)
    if (!this.#isBusy) this.#turnTo((await looking).state.epoch)
    this.#isBusy = false
    const [{ state }, entries] = await Promise.all([looking, this.#next(link)])
    if (state.epoch !== this.#epoch) return
    this.#isBusy = entries.length > 0
    if (this.#isBusy) this.#atOnce = fitting(entries)
    this.#deliver(entries)
  }

  #turnTo(epoch: string): void {
    if (epoch !== this.#epoch) this.#after = 0
    this.#epoch = epoch
  }

  async #next(link: RedisLink): Promise<Entry[]> {
    const stream = `${this.#store.space(this.#epoch)}entries`
    const wait = ['COUNT', String(this.#atOnce), 'BLOCK', String(patience)]
    const answer = await link.send(['XREAD', ...wait, 'STREAMS', stream, `${this.#after}-0`], patience)
    const [[, rows] = [stream, []]] = (answer ?? []) as [string, unknown][]
    return readEntries(this.#epoch, rows)
  }

  #deliver(entries: readonly Entry[]): void {
    const newest = entries.at(-1)
    if (!newest || this.#stop.signal.aborted) return
    this.#after = newest.offset
    this.#store.saw(newest)
    for (const { deliver, epoch, after } of this.#followers) {
      const wanted = entries.filter((entry) => entry.epoch !== epoch || entry.offset > after)
      if (wanted.length > 0) deliver(wanted)
    }
  }
}

function fitting(entries: readonly Entry[]): number {
  const bytes = entries.reduce((sum, { update }) => sum + sizeOf(update), 0)
  return Math.min(page.most, Math.max(page.fewest, Math.round((page.bytes * entries.length) / bytes)))
}
