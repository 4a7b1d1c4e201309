// Revocations on this node: announces them in the log for all nodes, ends the streams that match, and says who is refused.
import { TidingsError } from '../../errors.ts'
import type { Entry, Log } from '../../log/log.ts'
import { announceInBatches, type Member, type Roster } from '../../log/roster.ts'
import type { TokenIdentity } from '../connection.ts'
import type { Observer } from '../observer.ts'
import type { RecordLoad } from '../presence/replica.ts'
import type { Subscriber } from '../subscriber.ts'
import { Closing, type ClosingDeps } from './closing.ts'
import { type RevocationCode, RevocationList } from './list.ts'
import { Loading } from './loading.ts'
import {
  additionOf,
  endOf,
  type RevocableClient,
  type Revocation,
  type RevocationRequest,
  type RevocationTarget,
  readRecord,
  readRevocation,
  readTarget,
  removalOf
} from './revocation.ts'
import { isRevocation } from './topics.ts'

/** Revocations on the list. It is in the memory of every node. */
const maxRevocations = 10_000
const checkMs = 1_000
const sweepMs = 5_000
/** A revocation leaves the roster so long after its end, because the clocks of nodes differ, and so that a slow node can load it. */
const marginMs = 300_000

interface RevocationsDeps extends ClosingDeps {
  readonly log: Pick<Log, 'epoch' | 'roster'>
  readonly observer: Required<Observer>
  /** Called for each revocation, so that clients that wait without a stream are checked again. */
  readonly wakePolls: () => void
}

/** The list of revocations, for an application. */
export type RevocationRegister = Pick<Revocations, 'size' | 'loaded' | 'refusalOf' | 'list' | 'lift'>

export class Revocations {
  readonly #deps: RevocationsDeps
  readonly #closing: Closing
  readonly #list = new RevocationList()
  /** Revocations that are being appended, and are not on the list yet. */
  #appending = 0
  /** The epoch whose roster has all that are on the list. */
  #epoch: string
  readonly #loading = new Loading()
  #timer: NodeJS.Timeout | undefined
  #isChecking = false
  #isStopped = false
  #sweptAt = performance.now()

  constructor(deps: RevocationsDeps) {
    this.#deps = deps
    this.#closing = new Closing(deps)
    this.#epoch = deps.log.epoch
  }

  /** Revocations on the list, including some that have ended. */
  get size(): number {
    return this.#list.size
  }

  /** What is revoked now, the newest revocation first. */
  list(): Revocation[] {
    const now = Date.now()
    const inForce = [...this.#list].filter((revocation) => now < endOf(revocation))
    return inForce.sort((one, other) => other.at - one.at)
  }

  /** @param loading settles when the roster has been loaded for the first time */
  loadWith(loading: Promise<void>): void {
    this.#loading.begin(loading)
  }

  /**
   * Resolves when it is known what was revoked before this node started. Until then, admit no client.
   * @throws TidingsError `log_unavailable` when that takes too long
   */
  loaded(): Promise<void> {
    return this.#loading.done()
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
    for (const { id } of covered) this.#forget(id)
  }

  /**
   * Lifts all revocations of a value, on all nodes: what they refused is accepted again. Resolves when the log has it.
   * @throws TidingsError `revocation_missing` if this node knows none, `revocation_invalid`, or as `Log.append` does
   */
  async lift(target: RevocationTarget): Promise<void> {
    await this.loaded()
    const wanted = readTarget(target)
    const now = Date.now()
    const found = this.#list.of(wanted).filter((revocation) => now < endOf(revocation))
    if (found.length === 0)
      throw new TidingsError('revocation_missing', `no revocation of this ${wanted.kind} is in force`)
    await this.#withdraw(found)
  }

  /** Takes those that are announced and withdrawn in entries of the log. */
  arrived(entries: readonly Entry[]): void {
    for (const { update, member } of entries) {
      if (member === undefined || !isRevocation(update.topics)) continue
      const revocation = member ? readRecord(member) : undefined
      if (revocation) this.#learn(revocation)
      else if (member === null) this.#forget(update.topics[0] as string)
    }
  }

  /**
   * Takes those in the roster: from before this node started, or because the log skipped entries. Those that the roster of the same epoch
   * has no longer were withdrawn in entries that this node missed.
   */
  load(): RecordLoad {
    const { epoch } = this.#deps.log
    const isWhole = epoch === this.#epoch
    const missing = new Set([...this.#list].map(({ id }) => id))
    return {
      found: (member) => {
        missing.delete(member.topic)
        this.#found(member)
      },
      end: (changed) => {
        if (!isWhole || epoch !== this.#deps.log.epoch) return
        for (const id of missing) if (!changed.has(id)) this.#forget(id)
      }
    }
  }

  /** Why a client must not be served; undefined if it may. */
  refusalOf(client: RevocableClient): RevocationCode | undefined {
    return this.#list.size === 0 ? undefined : this.#list.refusalOf(client, Date.now())
  }

  /** The identity by which a stream can be revoked. */
  tokenOf(subscriber: Subscriber): TokenIdentity | undefined {
    return this.#closing.clientOf(subscriber).token ?? undefined
  }

  /** Whether a stream that begins must end at once: it may have been revoked while it waited for its position. */
  refuses(subscriber: Subscriber): boolean {
    return this.#list.size > 0 && this.refusalOf(this.#closing.clientOf(subscriber)) !== undefined
  }

  stop(): void {
    this.#isStopped = true
    clearInterval(this.#timer)
  }

  get #roster(): Roster {
    const { roster } = this.#deps.log
    if (!roster) throw new TypeError('this log keeps no revocations; use a log of tidings')
    return roster
  }

  #isFull(leaving: number): boolean {
    return this.#list.size + this.#appending - leaving >= maxRevocations
  }

  #found(member: Member): void {
    const revocation = isRevocation([member.topic]) ? readRecord(member) : undefined
    if (!revocation || this.#list.get(revocation.id)) return
    this.#list.add(revocation)
    // Streams that began later are refused or not by what is in force now.
    const isOver = endOf(revocation) <= Date.now()
    const { at } = revocation
    this.#closing.close(revocation, (subscriber) => !isOver || Date.now() - subscriber.age < at)
    this.#deps.wakePolls()
    this.#startTimer()
  }

  #learn(revocation: Revocation): void {
    if (this.#list.get(revocation.id)) return
    this.#list.add(revocation)
    const closed = this.#closing.close(revocation)
    const { kind, until } = revocation
    this.#deps.observer.revoked({ kind, until, closed })
    this.#deps.wakePolls()
    this.#startTimer()
  }

  /** It has ended, or another one covers it, or it was lifted. */
  #forget(id: string): void {
    const revocation = this.#list.get(id)
    if (!revocation) return
    this.#list.delete(id)
    const isLifted = Date.now() < endOf(revocation) && !this.#list.isCovered(revocation)
    if (isLifted) this.#deps.observer.lifted({ kind: revocation.kind })
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
    await announceInBatches(this.#roster, [...this.#list].map(additionOf))
    this.#epoch = epoch
  }

  /** Several nodes do this; the roster accepts the first. */
  async #sweep(): Promise<void> {
    this.#sweptAt = performance.now()
    await this.#withdraw(this.#list.endedBefore(Date.now() - marginMs))
  }

  async #withdraw(ended: readonly Revocation[]): Promise<void> {
    await announceInBatches(this.#roster, ended.map(removalOf))
    for (const { id } of ended) this.#forget(id)
  }
}
