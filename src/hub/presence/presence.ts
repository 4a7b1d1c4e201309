// Presence: announces subscriptions in the log, with a private update when one begins and one when it ends, for all nodes. The
// endpoint that announces a subscription writes the updates.
import { setTimeout as sleep } from 'node:timers/promises'
import { TidingsError } from '../../errors.ts'
import type { Entry } from '../../log/log.ts'
import { type Announcement, batchSize, emptyRoster, type Member, type Roster } from '../../log/roster.ts'
import type { Update } from '../../update.ts'
import { Liveness } from './liveness.ts'
import { RosterReplica } from './replica.ts'

/** A subscription to announce. */
export interface Subscription {
  /** The topic of its announcements, which no other subscription has. */
  readonly topic: string
  /** What any node needs to list it. Default: nothing. */
  readonly record?: string
  /** The announcement of its beginning (`active`) or its end. */
  announce(active: boolean): Update
}

/** Announcements that may wait. Beyond that, a subscription that began and ended meanwhile is left out. */
const maxWaiting = 10_000
/** Milliseconds until an append that failed is repeated. */
const retryDelayMs = 1_000

export class Presence {
  readonly #roster: Roster
  readonly #failed: (error: unknown) => void
  readonly #node = crypto.randomUUID()
  readonly #replica: RosterReplica
  readonly #liveness: Liveness
  /** Members that are connected to this node, by topic. */
  readonly #own = new Map<string, OwnMember>()
  /** Announcements that wait to be appended, by topic. A beginning always precedes its end. */
  readonly #joins = new Map<string, OwnMember>()
  readonly #leaves = new Map<string, Member>()
  /** Members whose beginning may be in the log, and whose end was not delivered yet. */
  readonly #begun = new Map<string, OwnMember>()
  readonly #stop = new AbortController()
  #hasLease = false
  #immediate: NodeJS.Immediate | undefined
  #appending = Promise.resolve()

  /** @param timeout milliseconds after which a crashed node has disappeared */
  constructor(
    roster: Roster | undefined,
    timeout: number,
    failed: (error: unknown) => void,
    replica = new RosterReplica()
  ) {
    this.#roster = roster ?? emptyRoster
    this.#replica = replica
    this.#failed = failed
    const end = (node: string) => this.#end(node)
    this.#liveness = new Liveness(this.#roster, this.#node, timeout, this.#replica.nodes, end)
  }

  /** All members that the log has announced, on all nodes. */
  get members(): ReadonlyMap<string, Member> {
    return this.#replica.members
  }

  /** Members of this node that are announced, or are about to be. */
  get announced(): number {
    return this.#own.size
  }

  /** Loads the roster. Called when the log is being followed. */
  async begin(): Promise<void> {
    if (this.#isStopped) return
    this.#liveness.start()
    await this.reload()
  }

  /** Loads the roster again, because the log skipped entries. */
  async reload(): Promise<void> {
    while (!this.#isStopped) {
      try {
        return await this.#replica.load(this.#roster.members())
      } catch (error) {
        if (!this.#isStopped) this.#failed(error)
        await this.#pause()
      }
    }
  }

  /** A new epoch has a new roster, which leaves out ends of members that it does not have. */
  startOver(): void {
    this.#joins.clear()
    this.#begun.clear()
    this.#replica.clear()
    void this.reload()
  }

  join(subscriptions: readonly Subscription[]): void {
    for (const subscription of subscriptions) {
      const member = new OwnMember(this.#node, subscription)
      this.#own.set(member.topic, member)
      this.#joins.set(member.topic, member)
    }
    this.#schedule()
  }

  leave(subscriptions: readonly Subscription[]): void {
    for (const { topic } of subscriptions) {
      const member = this.#own.get(topic)
      this.#own.delete(topic)
      const isTooMany = this.#joins.size + this.#leaves.size > maxWaiting
      if (isTooMany && !this.#begun.has(topic) && this.#joins.delete(topic)) continue
      if (member) this.#leaves.set(topic, member)
    }
    this.#schedule()
  }

  /** Updates the copy of the roster with delivered entries, so that list and log agree. */
  arrived(entries: readonly Entry[]): void {
    for (const { update, member } of entries) {
      if (member) this.#replica.add(this.#begun.get(member.topic) ?? member)
      else if (member === null) this.#gone(update.topics[0] as string)
    }
  }

  /** Appends everything that waits, one last time. */
  async finish(): Promise<void> {
    this.#stop.abort()
    this.#liveness.stop()
    clearImmediate(this.#immediate)
    this.#immediate = undefined
    await this.#appending
    while (this.#joins.size + this.#leaves.size > 0 && (await this.#appendSome())) {}
  }

  get #isStopped(): boolean {
    return this.#stop.signal.aborted
  }

  /** A member that is still connected is announced again: another node took this one for dead. */
  #gone(topic: string): void {
    this.#replica.remove(topic)
    this.#begun.delete(topic)
    const member = this.#own.get(topic)
    if (!member) return
    this.#hasLease = false
    this.#joins.set(topic, member)
    this.#schedule()
  }

  /** Several nodes may do this; the roster accepts the first. */
  #end(node: string): void {
    for (const member of this.#replica.membersOf(node)) this.#leaves.set(member.topic, member)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#isStopped || this.#joins.size + this.#leaves.size === 0) return
    this.#immediate ??= setImmediate(() => {
      this.#appending = this.#appendSome()
        .then((isDone) => (isDone ? undefined : this.#pause()))
        .then(() => {
          this.#immediate = undefined
          this.#schedule()
        })
    })
  }

  #pause(): Promise<void> {
    return sleep(retryDelayMs, undefined, { signal: this.#stop.signal, ref: false }).catch(() => {})
  }

  /** Never rejects: announcements that the log refused are queued again. */
  async #appendSome(): Promise<boolean> {
    const joined = take(this.#joins, batchSize)
    // Ends wait until all beginnings are appended: their own may be among them.
    const left = this.#joins.size > 0 ? [] : take(this.#leaves, batchSize - joined.length)
    for (const member of joined) this.#begun.set(member.topic, member)
    try {
      // Without a lease this node, and all its members, would be taken for dead.
      if (!this.#hasLease) await this.#liveness.renew()
      this.#hasLease = true
      await this.#roster.announce([...joined.map(beginning), ...left.map(ending)])
      return true
    } catch (error) {
      this.#failed(error)
      if (!(error instanceof TidingsError && error.code === 'closed')) this.#requeue(joined, left)
      return false
    }
  }

  /** The announcements failed, but the changes are real. */
  #requeue(joined: readonly OwnMember[], left: readonly Member[]): void {
    for (const member of joined) {
      // A new roster, which has none of these members.
      if (!this.#begun.has(member.topic)) continue
      this.#replica.add(member)
      this.#joins.set(member.topic, member)
    }
    for (const member of left) {
      this.#replica.remove(member.topic)
      this.#leaves.set(member.topic, member)
    }
  }
}

/** A member that is connected to this node. Its announcements are made when they are needed. */
class OwnMember implements Member {
  readonly node: string
  readonly #subscription: Subscription

  constructor(node: string, subscription: Subscription) {
    this.node = node
    this.#subscription = subscription
  }

  get topic(): string {
    return this.#subscription.topic
  }

  get record(): string {
    return this.#subscription.record ?? ''
  }

  get begin(): Update {
    return this.#subscription.announce(true)
  }

  get end(): Update {
    return this.#subscription.announce(false)
  }
}

function beginning(member: OwnMember): Announcement {
  return { update: member.begin, member }
}

function ending({ end }: Member): Announcement {
  return { update: end, member: null }
}

function take<Value>(from: Map<string, Value>, count: number): Value[] {
  const taken: Value[] = []
  for (const [topic, value] of from) {
    if (taken.length >= count) break
    from.delete(topic)
    taken.push(value)
  }
  return taken
}
