// Runs: streams of a language model that a hub keeps, so that they survive reloads, other devices and crashes.
import type { TokenOption } from '../client/index.ts'
import type { RetentionRule } from '../log/retention/rules.ts'
import type { Source, SourceFormat } from './chunks.ts'
import { isStop, RunError } from './errors.ts'
import { type EndStatus, endTypeOf, lastData, type RunTopics, topicsOf } from './names.ts'
import { type ReadOptions, type RunChunk, readRun } from './reading.ts'
import { type Tip, tipOf } from './status.ts'
import { Stops } from './stops.ts'
import { HubStore, type RunsHub } from './stores/hub-store.ts'
import { RemoteStore } from './stores/remote-store.ts'
import type { Store } from './stores/store.ts'
import { Chain } from './writing/chain.ts'
import { Journal } from './writing/journal.ts'
import { type RunOutcome, stateOf, Writer } from './writing/writer.ts'

/** `none`: the hub has nothing of the run. `error` also if its writer was gone for longer than the lease. */
export type RunStatus = 'none' | 'running' | EndStatus

export interface RunsOptions {
  /** With a URL: the token of a publisher and subscriber, or a function that returns one. */
  readonly token?: TokenOption | undefined
  /** With a URL: another implementation of `fetch`. */
  readonly fetch?: typeof fetch | undefined
  /** The beginning of all topics of runs. Default: `runs`. */
  readonly prefix?: string | undefined
  /** Publishes private updates, so that a reader needs a token that may read the topic of the run. Default: false. */
  readonly private?: boolean | undefined
  /** The longest time between a chunk and its append, in milliseconds. Default: 50. */
  readonly batchMs?: number | undefined
  /** How long a run counts as running without a sign of its writer, in milliseconds. Default: 30,000. */
  readonly leaseMs?: number | undefined
}

export interface WriteOptions {
  /** `sse` for an event stream, `values` for an iteration over chunks. Default: `sse` if the first value is text or bytes. */
  readonly format?: SourceFormat | undefined
  /** Appends to what another writer left behind when it crashed. If it still writes, it is taken over. Default: false. */
  readonly continue?: boolean | undefined
}

/** Retention rules for runs, for `createHub` or the log: one hour. */
export const runRetention: readonly RetentionRule[] = [
  { match: 'runs/{run}', age: '1h', bytes: '256MiB' },
  { match: 'runs/{run}/{part}', age: '1h', entries: 100_000 }
]

/**
 * Makes runs on a hub in this process, or on one behind a URL, such as `https://hub.example.com/`. The hub needs the option `idempotent`.
 * @throws RunError `not_idempotent` for a hub in this process; TypeError for an invalid URL
 */
export function createRuns(hub: RunsHub | string | URL, options: RunsOptions = {}): Runs {
  const isUrl = typeof hub === 'string' || hub instanceof URL
  return new Runs(isUrl ? new RemoteStore(hub, options) : new HubStore(hub), options)
}

export class Runs {
  readonly #store: Store
  readonly #prefix: string
  readonly #isPrivate: boolean
  readonly #batchMs: number
  readonly #leaseMs: number
  readonly #stops: Stops
  readonly #controllers = new Map<string, AbortController>()
  /** The runs that this object writes. */
  readonly #writing = new Set<string>()
  /** Those that it has begun, and does not write yet. */
  readonly #begun = new Map<string, Chain>()

  /** @internal */
  constructor(store: Store, options: RunsOptions) {
    const { prefix = 'runs', private: isPrivate = false, batchMs = 50, leaseMs = 30_000 } = options
    this.#store = store
    this.#prefix = prefix
    this.#isPrivate = isPrivate
    this.#batchMs = batchMs
    this.#leaseMs = leaseMs
    this.#stops = new Stops(store, prefix)
  }

  /** The topic of the chunks, for a client that reads them from the hub. */
  topicOf(runId: string): string {
    return topicsOf(this.#prefix, runId).chunks
  }

  /** Is aborted when the run is stopped, by any process, or cannot be written any more. For the call of the model, followed by `write`. */
  signal(runId: string): AbortSignal {
    return this.#controllerOf(runId).signal
  }

  /**
   * Begins a run that `write` follows. Its status is `running` from now on, so an application that saves the id of a run never has one that the
   * hub does not know. `write` does it otherwise. If there is nothing to write after all, `fail` ends it.
   * @throws RunError `exists`, or `stopped` if it was stopped before; TypeError for an invalid run id; the errors of the hub
   */
  async begin(runId: string): Promise<void> {
    const topics = topicsOf(this.#prefix, runId)
    if (this.#writing.has(runId)) throw new RunError('exists', 'this process has begun the run')
    this.#writing.add(runId)
    try {
      this.#begun.set(runId, await this.#claim(runId, topics, {}))
    } catch (error) {
      this.#forget(runId)
      throw error
    }
  }

  /**
   * Writes a stream to the hub until it ends, and then ends the run. A run has one writer; the id of a run is used once. Resolves with how the
   * run ended, also when the stream fails or the hub refuses it: it never rejects because of them.
   * @throws TypeError for an invalid run id
   */
  async write(runId: string, stream: Source, options: WriteOptions = {}): Promise<RunOutcome> {
    const topics = topicsOf(this.#prefix, runId)
    const begun = this.#begun.get(runId)
    this.#begun.delete(runId)
    if (!begun && this.#writing.has(runId)) {
      return { status: 'error', error: new RunError('exists', 'this process is writing the run') }
    }
    this.#writing.add(runId)
    const controller = this.#controllerOf(runId)
    try {
      const chain = begun ?? (await this.#claim(runId, topics, options))
      const writing = { batchMs: this.#batchMs, leaseMs: this.#leaseMs, format: options.format }
      return await new Writer(chain, controller, writing).write(stream)
    } catch (error) {
      controller.abort(error)
      return isStop(error) ? { status: 'stopped' } : { status: 'error', error }
    } finally {
      this.#forget(runId)
    }
  }

  /**
   * Iterates over the chunks of a run, from the beginning or after an id. It waits for a run that has not begun. It ends when the run is done or
   * stopped, and with the signal.
   * @throws RunError `failed`, `interrupted` or `incomplete`
   */
  read(runId: string, options: ReadOptions = {}): AsyncGenerator<RunChunk, void> {
    return readRun(this.#store, topicsOf(this.#prefix, runId), options, this.#leaseMs)
  }

  /** Stops a run: aborts the signal of its writer, in any process. The run ends when the writer has ended it, with `stopped`. */
  async stop(runId: string): Promise<void> {
    const topics = topicsOf(this.#prefix, runId)
    const tip = await tipOf(this.#store, topics, this.#leaseMs)
    if (tip.end) return
    // Nobody would hear the request. If a writer begins in this moment, it is repeated.
    if (tip.id === undefined || tip.isLost) {
      return this.#endAs('stopped', topics, tip).catch((error: unknown) => {
        if (!isTakenOver(error)) throw error
        return this.stop(runId)
      })
    }
    const request = { topics: [topics.stop], data: '', ...(this.#isPrivate && { private: true }) }
    await this.#store.append([request], `${topics.stop} ${tip.id}`)
  }

  /**
   * Ends a run whose writer has crashed, with an error. A chunk for its readers may come before the end. A writer that is still alive is
   * taken over.
   */
  async fail(runId: string, chunk?: unknown): Promise<void> {
    const topics = topicsOf(this.#prefix, runId)
    if (this.#begun.delete(runId)) this.#forget(runId)
    const tip = await tipOf(this.#store, topics, this.#leaseMs)
    if (!tip.end) await this.#endAs('error', topics, tip, chunk)
  }

  async status(runId: string): Promise<RunStatus> {
    const tip = await tipOf(this.#store, topicsOf(this.#prefix, runId), this.#leaseMs)
    if (tip.id === undefined) return 'none'
    return tip.end ?? (tip.isLost ? 'error' : 'running')
  }

  /** What the interfaces of other packages need of a run. @internal */
  journalOf(runId: string): Journal {
    const topics = topicsOf(this.#prefix, runId)
    return new Journal({ store: this.#store, topics, isPrivate: this.#isPrivate })
  }

  /** Ends the subscription that `write` needs. It also ends ten seconds after the last run. */
  close(): void {
    this.#stops.close()
  }

  #controllerOf(runId: string): AbortController {
    const controller = this.#controllers.get(runId) ?? new AbortController()
    this.#controllers.set(runId, controller)
    return controller
  }

  #forget(runId: string): void {
    this.#stops.remove(runId)
    this.#controllers.delete(runId)
    this.#writing.delete(runId)
  }

  /**
   * Becomes the one writer of the run. A new run costs no look at the history, which would be a search of all of it in a log in memory.
   * @throws RunError `exists`, `taken_over`, or `stopped` if somebody has stopped the run
   */
  async #claim(runId: string, topics: RunTopics, options: WriteOptions): Promise<Chain> {
    const controller = this.#controllerOf(runId)
    const stopped = () => controller.abort(new RunError('stopped', 'the run was stopped'))
    // From now on, no request to stop a run that has begun can be missed.
    await this.#stops.add(runId, { stopped, failed: (error) => controller.abort(error) })
    controller.signal.throwIfAborted()
    const tip = options.continue ? await this.#tipToContinue(topics) : undefined
    const chain = this.#chainAfter(tip?.id, topics)
    // The text differs for each writer, so the hub accepts one of two that begin at the same time.
    const claim = { ...(JSON.parse(stateOf(this.#leaseMs)) as object), writer: crypto.randomUUID() }
    try {
      await chain.append('state', [{ data: JSON.stringify(claim) }])
      return chain
    } catch (error) {
      if (tip || !isTakenOver(error)) throw error
      throw existing((await tipOf(this.#store, topics, this.#leaseMs)).end)
    }
  }

  async #tipToContinue(topics: RunTopics): Promise<Tip> {
    const tip = await tipOf(this.#store, topics, this.#leaseMs)
    if (tip.end) throw existing(tip.end)
    // The writer before has not obeyed.
    if ((await this.#store.newest([topics.stop])).update) throw existing('stopped')
    return tip
  }

  async #endAs(status: EndStatus, topics: RunTopics, tip: Tip, chunk?: unknown): Promise<void> {
    const end = { data: lastData, type: endTypeOf(status), end: true }
    const chunks = chunk === undefined ? [] : [{ data: typeof chunk === 'string' ? chunk : JSON.stringify(chunk) }]
    await this.#chainAfter(tip.id, topics).append('chunks', [...chunks, end])
  }

  #chainAfter(tip: string | undefined, topics: RunTopics): Chain {
    return new Chain({ store: this.#store, topics, isPrivate: this.#isPrivate }, tip)
  }
}

function existing(end: EndStatus | undefined): RunError {
  if (end === 'stopped') return new RunError('stopped', 'the run was stopped')
  if (end) return new RunError('exists', `the run has ended already, with "${end}"`)
  return new RunError('exists', 'the run has begun already; to append to it, use `continue`')
}

function isTakenOver(error: unknown): boolean {
  return error instanceof RunError && error.code === 'taken_over'
}
