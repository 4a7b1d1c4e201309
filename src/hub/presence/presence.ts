// Who is subscribed, told in the log like everything else: a private update when a subscription begins, and one when it ends,
// for the whole fleet. It does not know what the updates say; the door that announces a subscription writes them.
import { setTimeout as sleep } from 'node:timers/promises'
import { TidingsError } from '../../errors.ts'
import type { Entry } from '../../log/log.ts'
import type { Announcement, Member, Roster } from '../../log/roster.ts'
import type { Update } from '../../update.ts'
import { Liveness } from './liveness.ts'
import { RosterReplica } from './replica.ts'

/** A subscription as it is announced. */
export interface Subscription {
  /** The one topic of its updates, which no other subscription has. */
  readonly topic: string
  /** What whoever lists subscriptions, on whatever node, needs to know of it; default nothing. */
  readonly record?: string
  /** What is said when it begins (`active`), and when it ends. */
  announce(active: boolean): Update
}

/** Updates that are appended at once: a storm of connects takes its turn with what is published. */
const batchSize = 256
/** Announcements that may wait. Beyond that, who came and went meanwhile is left out. */
const maxWaiting = 10_000
/** How long it waits, in milliseconds, before it repeats what the log could not take. */
const retryDelayMs = 1_000

export class Presence {
  readonly #roster: Roster
  readonly #failed: (error: unknown) => void
  readonly #node = crypto.randomUUID()
  readonly #replica = new RosterReplica()
  readonly #liveness: Liveness
  /** Who is connected to this node, by topic. */
  readonly #own = new Map<string, OwnMember>()
  /** What waits to be appended, by topic; a beginning always goes before its end. */
  readonly #joins = new Map<string, OwnMember>()
  readonly #leaves = new Map<string, Member>()
  /** Whose beginning may be in the log, and whose end has not arrived. */
  readonly #begun = new Map<string, OwnMember>()
  readonly #stop = new AbortController()
  #hasLease = false
  #immediate: NodeJS.Immediate | undefined
  #appending = Promise.resolve()

  /** `timeout`: within how many milliseconds a node that died has to have disappeared. */
  constructor(roster: Roster | undefined, timeout: number, failed: (error: unknown) => void) {
    this.#roster = roster ?? emptyRoster
    this.#failed = failed
    const end = (node: string) => this.#end(node)
    this.#liveness = new Liveness(this.#roster, this.#node, timeout, this.#replica.nodes, end)
  }

  /** Everybody of whom the log has told, on all nodes. */
  get members(): ReadonlyMap<string, Member> {
    return this.#replica.members
  }

  /** How many of those who are connected to this node have been announced, or are about to be. */
  get announced(): number {
    return this.#own.size
  }

  /** Finds out who was there before; to be called when the log is being followed. */
  async begin(): Promise<void> {
    if (this.#isStopped) return
    this.#liveness.start()
    await this.reload()
  }

  /** Reads the roster anew: not all that was announced has arrived. */
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

  /** The roster is another one; of whom is told in vain that they left, it leaves out. */
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

  /** The list of who is there changes with what arrives from the log, so that list and log tell the same. */
  arrived(entries: readonly Entry[]): void {
    for (const { update, member } of entries) {
      if (member) this.#replica.add(this.#begun.get(member.topic) ?? member)
      else if (member === null) this.#gone(update.topics[0] as string)
    }
  }

  /** Appends all that waits, once more. */
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

  /** Who is connected all the same comes again: another node has taken this one for dead. */
  #gone(topic: string): void {
    this.#replica.remove(topic)
    this.#begun.delete(topic)
    const member = this.#own.get(topic)
    if (!member) return
    this.#hasLease = false
    this.#joins.set(topic, member)
    this.#schedule()
  }

  /** Of several nodes that do this, one is heard. */
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

  /** Never rejects: what the log could not take, it is asked to take again. */
  async #appendSome(): Promise<boolean> {
    const joined = take(this.#joins, batchSize)
    // An end waits until no beginning does: its own may be among them.
    const left = this.#joins.size > 0 ? [] : take(this.#leaves, batchSize - joined.length)
    for (const member of joined) this.#begun.set(member.topic, member)
    try {
      // Who has no lease is taken for dead, and so is everybody who is connected to it.
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

  /** It could not be told, and is so all the same. */
  #requeue(joined: readonly OwnMember[], left: readonly Member[]): void {
    for (const member of joined) {
      // Another roster, on which nobody is who was on the one before.
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

/** Of a log without a roster, to which nobody is announced. */
const emptyRoster: Roster = {
  announce: async () => {},
  async *members() {},
  renew: async () => []
}

/** Who is connected to this node; what there is to say of it is made when it is needed. */
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
