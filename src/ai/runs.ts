// Runs: streams of a language model that a hub keeps, so that they survive reloads, other devices and crashes.
import type { TokenOption } from '../client/index.ts'
import type { RetentionRule } from '../log/retention/rules.ts'
import type { Source, SourceFormat } from './chunks.ts'
import { RunError } from './errors.ts'
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
   * hub does not know. `write` does it otherwise.
   * @throws RunError `exists` or `taken_over`; TypeError for an invalid run id; the errors of the hub
   */
  async begin(runId: string): Promise<void> {
    const topics = topicsOf(this.#prefix, runId)
    if (this.#writing.has(runId) || this.#begun.has(runId))
      throw new RunError('exists', 'this process has begun the run')
    this.#begun.set(runId, await this.#claim(topics, {}))
  }

  /**
   * Writes a stream to the hub until it ends, and then ends the run. A run has one writer; the id of a run is used once. Resolves with how the
   * run ended, also when the stream fails or the hub refuses it: it never rejects because of them.
   * @throws TypeError for an invalid run id
   */
  async write(runId: string, stream: Source, options: WriteOptions = {}): Promise<RunOutcome> {
    const topics = topicsOf(this.#prefix, runId)
    if (this.#writing.has(runId)) {
      return { status: 'error', error: new RunError('exists', 'this process is writing the run') }
    }
    this.#writing.add(runId)
    const controller = this.#controllerOf(runId)
    try {
      const chain = this.#begun.get(runId) ?? (await this.#claim(topics, options))
      this.#begun.delete(runId)
      const writing = { batchMs: this.#batchMs, leaseMs: this.#leaseMs, format: options.format }
      const writer = new Writer(chain, controller, writing)
      this.#obey(runId, topics, writer, controller)
      return await writer.write(stream)
    } catch (error) {
      controller.abort(error)
      return { status: 'error', error }
    } finally {
      this.#stops.remove(runId)
      this.#controllers.delete(runId)
      this.#writing.delete(runId)
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
    if (tip.isLost) return this.#endAs('stopped', topics, tip)
    const request = { topics: [topics.stop], data: '', ...(this.#isPrivate && { private: true }) }
    await this.#store.append([request], `${topics.stop} ${tip.id ?? 'nothing'}`)
  }

  /**
   * Ends a run whose writer has crashed, with an error. A chunk for its readers may come before the end. A writer that is still alive is
   * taken over.
   */
  async fail(runId: string, chunk?: unknown): Promise<void> {
    const topics = topicsOf(this.#prefix, runId)
    this.#begun.delete(runId)
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

  /** Becomes the one writer of the run. @throws RunError `exists` or `taken_over` */
  async #claim(topics: RunTopics, options: WriteOptions): Promise<Chain> {
    const tip = await tipOf(this.#store, topics, this.#leaseMs)
    if (tip.end) throw new RunError('exists', `the run has ended already, with "${tip.end}"`)
    if (tip.id !== undefined && !options.continue) {
      throw new RunError('exists', 'the run has begun already; to append to it, use `continue`')
    }
    const chain = this.#chainAfter(tip, topics)
    // The text differs for each writer, so the hub accepts one of two that begin at the same time.
    const claim = { ...(JSON.parse(stateOf(this.#leaseMs)) as object), writer: crypto.randomUUID() }
    await chain.append('state', [{ data: JSON.stringify(claim) }])
    return chain
  }

  /** Stops the writer when somebody asks for that, or has asked. */
  #obey(runId: string, { stop }: RunTopics, writer: Writer, controller: AbortController): void {
    const stopped = () => controller.abort(new RunError('stopped', 'the run was stopped'))
    const failed = (error: unknown) => writer.fail(error)
    const earlier = async () => {
      await this.#stops.add(runId, { stopped, failed })
      if ((await this.#store.newest([stop])).update) stopped()
    }
    earlier().catch(failed)
  }

  async #endAs(status: EndStatus, topics: RunTopics, tip: Tip, chunk?: unknown): Promise<void> {
    const end = { data: lastData, type: endTypeOf(status), end: true }
    const chunks = chunk === undefined ? [] : [{ data: typeof chunk === 'string' ? chunk : JSON.stringify(chunk) }]
    await this.#chainAfter(tip, topics).append('chunks', [...chunks, end])
  }

  #chainAfter({ id }: Tip, topics: RunTopics): Chain {
    return new Chain({ store: this.#store, topics, isPrivate: this.#isPrivate }, id)
  }
}
