// The log in Redis as one node sees it: runs scripts, and keeps the newest state that they replied, so that what this node says
// of the log never goes back.
import { ErrorReply } from 'redis'
import { TidingsError } from '../../errors.ts'
import { newEpoch } from '../ids.ts'
import type { Entry } from '../log.ts'
import { type LogState, type Reply, type Row, readEntries, readReply } from './codec.ts'
import { OutcomeUnknownError, type RedisConnection } from './connection.ts'
import { scripts } from './scripts.ts'

export type Answer = LogState & Reply

/** The keys of an epoch, but for those that expire. */
const keyNames = [
  'entries',
  'topics',
  'ids',
  'rules',
  'removed',
  'traces',
  'marks',
  'roster',
  'nodes',
  'followers'
] as const

export class RedisStore {
  readonly #base: string
  readonly #connection: RedisConnection
  readonly #now: (() => number) | undefined
  #state: LogState | undefined
  /** How many scripts were sent, and how many had been when the epoch changed last. */
  #sent = 0
  #sentBefore = 0
  /** The newest entry that was delivered here; and whether Redis has come back with another in its place. */
  #newest: Entry | undefined
  #isForked = false

  /** `base` is the beginning of every key; `now` replaces the clock of Redis. */
  constructor(base: string, connection: RedisConnection, now: (() => number) | undefined) {
    this.#base = base
    this.#connection = connection
    this.#now = now
  }

  /** As far as this node knows; there is none before the first reply. */
  get state(): LogState {
    return this.#state as LogState
  }

  /** Whether there was a first reply. */
  get isKnown(): boolean {
    return this.#state !== undefined
  }

  keyOf(epoch: string, name: (typeof keyNames)[number]): string {
    return `${this.#base}:${epoch}:${name}`
  }

  /**
   * Appends.
   * @throws TidingsError `storage_full`, `log_unavailable`, `closed`; OutcomeUnknownError when it may have been done
   */
  append(args: object, payloads: readonly string[]): Promise<Answer> {
    return this.#run('append', args, this.#connection, payloads)
  }

  /** Runs a script that may be repeated without harm. @throws TidingsError */
  async run(script: 'maintain' | 'query', args: object, connection = this.#connection): Promise<Answer> {
    try {
      return await this.#run(script, args, connection)
    } catch (error) {
      if (!(error instanceof OutcomeUnknownError)) throw error
      throw connection.isClosed ? new TidingsError('closed') : new TidingsError('log_unavailable', error.message)
    }
  }

  /** Notes that entries of one epoch were delivered, so that the head is no less. They may contain the first end of the log. */
  delivered(entries: readonly Entry[]): void {
    const newest = entries.at(-1)
    if (!newest) return
    this.#newest = newest
    if (this.state.epoch !== newest.epoch) return
    if (this.state.head < newest.offset) this.#state = { ...this.state, head: newest.offset }
    const hasEnd = this.state.ends === 0 && entries.some(({ update }) => update.end)
    if (hasEnd) this.#state = { ...this.state, ends: 1 }
  }

  /**
   * Checks, on a new connection, whether the log is still the one that was delivered here. A replica that took over without the
   * newest entries may have given their offsets to others; then the next script starts a new epoch.
   */
  async detectFork(send: (args: string[]) => Promise<unknown>): Promise<void> {
    const known = this.#newest
    if (known?.epoch !== this.#state?.epoch || !known) return
    const id = `${known.offset}-0`
    const rows = (await send(['XRANGE', this.keyOf(known.epoch, 'entries'), id, id])) as Row[]
    const [entry] = readEntries(known.epoch, rows)
    // The other connection may have found out meanwhile, and started the new epoch.
    if (known.epoch !== this.#state?.epoch) return
    if (entry && contentOf(entry) !== contentOf(known)) this.#isForked = true
  }

  async #run(
    name: 'append' | 'maintain' | 'query',
    args: object,
    connection: RedisConnection,
    payloads: readonly string[] = []
  ): Promise<Answer> {
    let sent = 0
    const argv = () => {
      sent = ++this.#sent
      const { epoch = '', head = 0 } = this.#state ?? {}
      // A script that is given a higher head than the log has starts a new epoch.
      const known = { epoch, head: this.#isForked ? Number.MAX_SAFE_INTEGER : head, newEpoch: newEpoch() }
      return [JSON.stringify({ ...known, now: this.#now?.(), ...args }), ...payloads]
    }
    try {
      const reply = readReply(await connection.run(scripts[name], this.#base, argv))
      this.#learn(reply, sent)
      return reply
    } catch (error) {
      throw error instanceof ErrorReply ? refusal(connection.reasonOf(error)) : error
    }
  }

  #learn(state: LogState, sent: number): void {
    const known = this.#state
    if (known?.epoch === state.epoch) {
      const newest = (name: 'head' | 'first' | 'removals' | 'ends') => Math.max(known[name], state[name])
      const counts = {
        head: newest('head'),
        first: newest('first'),
        removals: newest('removals'),
        ends: newest('ends')
      }
      this.#state = { ...state, ...counts }
      return
    }
    // Two connections: what was sent before the epoch changed may still be of the old one.
    if (known && sent <= this.#sentBefore) return
    this.#sentBefore = this.#sent
    this.#isForked = false
    this.#state = state
    const gone = state.replaced || known?.epoch
    if (gone) void this.#deleteEpoch(gone)
  }

  /** Never rejects: an epoch that is left behind takes memory, and harms nobody. */
  async #deleteEpoch(epoch: string): Promise<void> {
    const keys = keyNames.map((name) => this.keyOf(epoch, name))
    await this.#connection.send(['UNLINK', ...keys]).catch(() => {})
  }
}

function contentOf({ time, update: { topics, data } }: Entry): string {
  return JSON.stringify([time, topics, data])
}

/** What Redis says of an error inside a script that had begun. */
const inScript = /script: [0-9a-f]{40}|user_script:\d+/

function refusal(reason: string): Error {
  if (reason.startsWith('OOM')) return new TidingsError('storage_full', 'Redis has reached its maxmemory')
  const [, format] = /^NEWERFORMAT (\d+)/.exec(reason) ?? []
  if (format !== undefined) {
    const detail = `Redis holds a log of format ${format}, which is newer than this version of tidings; upgrade tidings, or use another store name`
    return new TidingsError('log_unavailable', detail)
  }
  if (inScript.test(reason)) return new OutcomeUnknownError(`a script failed inside Redis: ${reason}`)
  return new TidingsError('log_unavailable', reason)
}
