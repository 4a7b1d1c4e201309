// Revocations on this node: announces them in the log for all nodes, ends the streams that match, and says who is refused.
import { TidingsError } from '../../errors.ts'
import type { Entry, Log } from '../../log/log.ts'
import type { Announcement, Member, Roster } from '../../log/roster.ts'
import type { Audience } from '../audience.ts'
import type { TokenIdentity } from '../connection.ts'
import type { Observer } from '../observer.ts'
import type { Subscriber } from '../subscriber.ts'
import { type RevocationCode, RevocationList } from './list.ts'
import {
  additionOf,
  endOf,
  matches,
  type RevocableClient,
  type Revocation,
  type RevocationRequest,
  readRecord,
  readRevocation,
  removalOf
} from './revocation.ts'
import { isRevocation } from './topics.ts'

/** Revocations on the list. It is in the memory of every node. */
const maxRevocations = 10_000
/** Announcements in one append, so that they alternate with publishes. */
const batchSize = 256
const checkMs = 1_000
const sweepMs = 5_000
/** A revocation leaves the roster so long after its end, because the clocks of nodes differ, and so that a slow node can load it. */
const marginMs = 300_000
/** How long a client waits for the list to be loaded at start, in milliseconds. */
const loadTimeoutMs = 5_000

interface RevocationsDeps {
  readonly log: Pick<Log, 'epoch' | 'roster'>
  readonly audiences: Iterable<Audience<Subscriber>>
  readonly subscribers: ReadonlySet<Subscriber>
  readonly observer: Required<Observer>
  /** The token of a stream that has presented another one since it began. */
  readonly tokenOf: (subscriber: Subscriber) => TokenIdentity | undefined
  readonly leave: (subscriber: Subscriber, reason: 'revoked') => void
  /** Called for each revocation, so that clients that wait without a stream are checked again. */
  readonly wakePolls: () => void
}

export class Revocations {
  readonly #deps: RevocationsDeps
  readonly #list = new RevocationList()
  /** Revocations that are being appended, and are not on the list yet. */
  #appending = 0
  /** The epoch whose roster has all that are on the list. */
  #epoch: string
  #loading: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #isChecking = false
  #isStopped = false
  #sweptAt = performance.now()

  constructor(deps: RevocationsDeps) {
    this.#deps = deps
    this.#epoch = deps.log.epoch
  }

  get size(): number {
    return this.#list.size
  }

  /** @param loading settles when the roster has been loaded for the first time */
  loadWith(loading: Promise<void>): void {
    this.#loading = loading
    const done = () => {
      this.#loading = undefined
    }
    // When it fails, every request fails with that error.
    loading.then(done, () => {})
  }

  /**
   * Resolves when it is known what was revoked before this node started. Until then nobody can be admitted.
   * @throws TidingsError `log_unavailable` when that takes too long
   */
  async loaded(): Promise<void> {
    if (!this.#loading) return
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      const error = () => new TidingsError('log_unavailable', 'the list of revocations is not loaded')
      timer = setTimeout(() => reject(error()), loadTimeoutMs)
    })
    await Promise.race([this.#loading, late]).finally(() => clearTimeout(timer))
  }

  /** Resolves when the log has it. @throws TidingsError `revocation_invalid`, `revocations_too_many`, or as `Log.append` does */
  async revoke(request: RevocationRequest): Promise<void> {
    const roster = this.#roster
    const revocation = readRevocation(request, Date.now())
    const covered = this.#list.coveredBy(revocation)
    if (this.#isFull(covered.length)) await this.#withdraw(this.#list.endedBefore(Date.now()))
    if (this.#isFull(covered.length)) {
      throw new TidingsError('revocations_too_many', `the limit is ${maxRevocations}`)
    }
    this.#appending++
    try {
      await roster.announce([additionOf(revocation), ...covered.map(removalOf)])
    } finally {
      this.#appending--
    }
    // The entry may be delivered later, and this node refuses from now on.
    this.#learn(revocation)
    for (const { id } of covered) this.#list.delete(id)
  }

  /** Takes those that are announced and withdrawn in entries of the log. */
  arrived(entries: readonly Entry[]): void {
    for (const { update, member } of entries) {
      if (member === undefined || !isRevocation(update.topics)) continue
      const revocation = member ? readRecord(member) : undefined
      if (revocation) this.#learn(revocation)
      else if (member === null) this.#list.delete(update.topics[0] as string)
    }
  }

  /**
   * Takes one from the roster: from before this node started, or because the log skipped its entry. One that was withdrawn meanwhile
   * does no harm: it has ended, or another one covers it.
   */
  found(member: Member): void {
    const revocation = isRevocation([member.topic]) ? readRecord(member) : undefined
    if (!revocation || this.#list.has(revocation.id)) return
    this.#list.add(revocation)
    // Streams that began later are refused or not by what is in force now.
    const isOver = endOf(revocation) <= Date.now()
    const { at } = revocation
    this.#close(revocation, (subscriber) => !isOver || Date.now() - subscriber.age < at)
    this.#deps.wakePolls()
    this.#startTimer()
  }

  /** Why a client must not be served; undefined if it may. */
  refusalOf(client: RevocableClient): RevocationCode | undefined {
    return this.#list.size === 0 ? undefined : this.#list.refusalOf(client, Date.now())
  }

  /** Whether a stream that begins must end at once: it may have been revoked while it waited for its position. */
  refuses(subscriber: Subscriber): boolean {
    return this.#list.size > 0 && this.refusalOf(this.#clientOf(subscriber)) !== undefined
  }

  stop(): void {
    this.#isStopped = true
    clearInterval(this.#timer)
  }

  get #roster(): Roster {
    const { roster } = this.#deps.log
    if (!roster) throw new TypeError('the log of this hub keeps no roster')
    return roster
  }

  #isFull(leaving: number): boolean {
    return this.#list.size + this.#appending - leaving >= maxRevocations
  }

  #learn(revocation: Revocation): void {
    if (this.#list.has(revocation.id)) return
    this.#list.add(revocation)
    const closed = this.#close(revocation, () => true)
    const { kind, until } = revocation
    this.#deps.observer.revoked({ kind, until, closed })
    this.#deps.wakePolls()
    this.#startTimer()
  }

  /** Ends the streams that match, and returns how many. */
  #close(revocation: Revocation, also: (subscriber: Subscriber) => boolean): number {
    const { audiences, subscribers, leave } = this.#deps
    let closed = 0
    const end = (subscriber: Subscriber) => {
      if (!also(subscriber)) return
      leave(subscriber, 'revoked')
      closed++
    }
    if (revocation.kind !== 'topic') {
      for (const subscriber of subscribers) if (matches(revocation, this.#clientOf(subscriber))) end(subscriber)
      return closed
    }
    for (const { interest, members } of audiences)
      if (matches(revocation, interest)) for (const one of members) end(one)
    return closed
  }

  #startTimer(): void {
    if (this.#isStopped) return
    this.#timer ??= setInterval(() => void this.#check(), checkMs).unref()
  }

  /** Never rejects: what fails now is done a moment later. */
  async #check(): Promise<void> {
    if (this.#isChecking) return
    this.#isChecking = true
    try {
      if (this.#deps.log.epoch !== this.#epoch) await this.#announceAgain()
      else if (performance.now() - this.#sweptAt >= sweepMs) await this.#sweep()
    } catch (error) {
      this.#deps.observer.failed(error)
    }
    this.#isChecking = false
  }

  /** A new epoch has a new roster. The nodes that know the revocations restore it; it ignores those that it has. */
  async #announceAgain(): Promise<void> {
    const { epoch } = this.#deps.log
    await this.#announce([...this.#list].map(additionOf))
    this.#epoch = epoch
  }

  /** Several nodes do this; the roster accepts the first. */
  async #sweep(): Promise<void> {
    this.#sweptAt = performance.now()
    await this.#withdraw(this.#list.endedBefore(Date.now() - marginMs))
  }

  async #withdraw(ended: readonly Revocation[]): Promise<void> {
    await this.#announce(ended.map(removalOf))
    for (const { id } of ended) this.#list.delete(id)
  }

  async #announce(announcements: readonly Announcement[]): Promise<void> {
    const roster = this.#roster
    for (let at = 0; at < announcements.length; at += batchSize) {
      await roster.announce(announcements.slice(at, at + batchSize))
    }
  }

  #clientOf(subscriber: Subscriber): RevocableClient {
    const { connection, selectors } = subscriber
    const { token, subject, address } = connection
    // An application's own connection may know the subject only.
    const first = token ?? (subject === undefined ? undefined : { subject })
    return { token: this.#deps.tokenOf(subscriber) ?? first, address, selectors }
  }
}
