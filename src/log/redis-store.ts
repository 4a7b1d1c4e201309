// The log as Redis has it, seen from one node: sends scripts, and remembers the newest of what they answered, so that what this
// node says of the log never goes back. It knows no follower and no rule.
import { ErrorReply } from 'redis'
import { TidingsError } from '../errors.ts'
import { type Entry, newEpoch } from './log.ts'
import { readEntries, readState, type State } from './redis-answers.ts'
import { type RedisLink, Unanswered } from './redis-link.ts'
import { type Script, scripts } from './redis-scripts.ts'

export interface Answer {
  readonly state: State
  /** What the script answered besides. */
  readonly rest: readonly unknown[]
}

export class RedisStore {
  readonly base: string
  readonly #link: RedisLink
  readonly #replaced: (epoch: string) => void
  #state: State | undefined
  /** How many scripts were sent, and how many had been when the epoch changed last. */
  #sent = 0
  #sentBefore = 0
  /** The newest entry that was delivered here; and whether Redis has come back with another in its place. */
  #newest: Entry | undefined
  #isForked = false

  /** `replaced` is told of an epoch whose keys nobody reads any more. */
  constructor(base: string, link: RedisLink, replaced: (epoch: string) => void) {
    this.base = base
    this.#link = link
    this.#replaced = replaced
  }

  /** As far as this node knows; there is none before the first answer. */
  get state(): State {
    return this.#state as State
  }

  /** Whether there was a first answer. */
  get isKnown(): boolean {
    return this.#state !== undefined
  }

  /** What the keys of an epoch begin with. */
  space(epoch: string): string {
    return `${this.base}:${epoch}:`
  }

  /** @throws TidingsError `storage_full`, `log_unavailable`, `closed`; Unanswered where nobody knows whether it was done */
  async write(args: readonly string[]): Promise<Answer> {
    return this.#run(scripts.append, args, this.#link)
  }

  /** Whatever may be sent again without harm. @throws TidingsError */
  async ask(script: 'keep' | 'look', args: readonly string[], link = this.#link): Promise<Answer> {
    try {
      return await this.#run(scripts[script], args, link)
    } catch (error) {
      if (!(error instanceof Unanswered)) throw error
      throw link.isClosed ? new TidingsError('closed') : new TidingsError('log_unavailable', error.message)
    }
  }

  /** An entry was delivered, so the head is no less. */
  saw(entry: Entry): void {
    const { epoch, offset } = entry
    this.#newest = entry
    if (this.state.epoch === epoch && this.state.head < offset) this.#state = { ...this.state, head: offset }
  }

  /**
   * Looks, on a new connection, whether the log is still the one that was delivered here. A replica that took over without the
   * newest entries may have been given others in their place by nodes that did not know them; then the next script begins anew.
   */
  async recognize(send: (args: string[]) => Promise<unknown>): Promise<void> {
    const known = this.#newest
    if (known?.epoch !== this.#state?.epoch || !known) return
    const place = `${known.offset}-0`
    const [entry] = readEntries(known.epoch, await send(['XRANGE', `${this.space(known.epoch)}entries`, place, place]))
    // The other connection may have found out meanwhile, and the log begun anew: what is in that is as it should be.
    if (known.epoch !== this.#state?.epoch) return
    if (entry && contentOf(entry) !== contentOf(known)) this.#isForked = true
  }

  async #run(script: Script, args: readonly string[], link: RedisLink): Promise<Answer> {
    let sent = 0
    const prepare = () => {
      sent = ++this.#sent
      const { epoch = '', head = 0 } = this.#state ?? {}
      // Whoever knows of more than there is has the script begin another epoch.
      return [epoch, String(this.#isForked ? Number.MAX_SAFE_INTEGER : head), newEpoch(), ...args]
    }
    try {
      const answer = await link.run(script, this.base, prepare)
      const [first, ...rest] = answer as unknown[]
      const state = readState(first)
      this.#learn(state, sent)
      return { state, rest }
    } catch (error) {
      throw error instanceof ErrorReply ? refusal(link.reasonOf(error)) : error
    }
  }

  #learn(state: State, sent: number): void {
    if (state.replaced) this.#replaced(state.replaced)
    const known = this.#state
    if (known?.epoch === state.epoch) {
      const newest = (name: 'head' | 'first' | 'removals') => Math.max(known[name], state[name])
      this.#state = { ...state, head: newest('head'), first: newest('first'), removals: newest('removals') }
      return
    }
    // Two connections: what was sent before the epoch changed may still tell of the old one.
    if (known && sent <= this.#sentBefore) return
    this.#sentBefore = this.#sent
    this.#isForked = false
    this.#state = state
  }
}

function contentOf({ time, update: { topics, data } }: Entry): string {
  return JSON.stringify([time, topics, data])
}

function refusal(reason: string): TidingsError {
  if (!reason.startsWith('OOM')) return new TidingsError('log_unavailable', reason)
  return new TidingsError('storage_full', 'Redis holds as much as its maxmemory allows')
}
