// Runs: streams of a language model that a hub keeps, so that they survive reloads, other devices and crashes.
import type { TokenOption } from '../client/index.ts'
import type { RetentionRule } from '../log/retention/rules.ts'
import type { Chunk, Source, SourceFormat } from './chunks.ts'
import { isStop, RunError } from './errors.ts'
import { type EndStatus, type RunTopics, topicsOf } from './names.ts'
import { type ReadOptions, type RunChunk, readRun } from './reading.ts'
import { tipOf } from './status.ts'
import { Stops } from './stops.ts'
import { HubStore, type RunsHub } from './stores/hub-store.ts'
import { RemoteStore } from './stores/remote-store.ts'
import type { Store } from './stores/store.ts'
import type { Chain } from './writing/chain.ts'
import { type ClaimOptions, Claims, isTakenOver } from './writing/claims.ts'
import { Journal } from './writing/journal.ts'
import { Producer } from './writing/producer.ts'
import { type RunOutcome, Writer } from './writing/writer.ts'

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
  readonly #claims: Claims
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
    this.#claims = new Claims(store, isPrivate, leaseMs)
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
    this.#begun.set(runId, await this.#begin(runId, {}))
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
   * @throws RunError `failed`, `interrupted`, `incomplete` or `deleted`
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
    if (tip.id === undefined || tip.isLost || tip.isDeleted) {
      return this.#claims.endAfter(tip, topics, 'stopped').catch((error: unknown) => {
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
    const chunks = chunk === undefined ? [] : [{ data: typeof chunk === 'string' ? chunk : JSON.stringify(chunk) }]
    if (!tip.end) await this.#claims.endAfter(tip, topics, 'error', chunks)
  }

  async status(runId: string): Promise<RunStatus> {
    const tip = await tipOf(this.#store, topicsOf(this.#prefix, runId), this.#leaseMs)
    if (tip.id === undefined || tip.isDeleted) return 'none'
    return tip.end ?? (tip.isLost ? 'error' : 'running')
  }

  /** What the interfaces of other packages need of a run. @internal */
  journalOf(runId: string): Journal {
    const topics = topicsOf(this.#prefix, runId)
    return new Journal({ store: this.#store, topics, isPrivate: this.#isPrivate })
  }

  /**
   * Begins a run that is written chunk by chunk, also one that was deleted. Without a chunk for `silenceMs`, its writer counts as gone.
   * @throws as `begin` does @internal
   */
  async producerOf(runId: string, silenceMs: number): Promise<Producer> {
    const chain = await this.#begin(runId, { afterDeletion: true })
    const options = { leaseMs: this.#leaseMs, silenceMs, ended: () => this.#forget(runId) }
    return new Producer(chain, this.#controllerOf(runId), options)
  }

  /** Ends a run instead of its writer. False if there is nothing to end. @internal */
  async end(runId: string, status: EndStatus, chunks: readonly Chunk[] = []): Promise<boolean> {
    return this.#claims.end(topicsOf(this.#prefix, runId), status, chunks)
  }

  /** Ends a run for its writer and its readers, and deletes it. @throws RunError `deletion_disabled` @internal */
  async delete(runId: string): Promise<void> {
    await this.#claims.delete(topicsOf(this.#prefix, runId))
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

  async #begin(runId: string, options: ClaimOptions): Promise<Chain> {
    const topics = topicsOf(this.#prefix, runId)
    if (this.#writing.has(runId)) throw new RunError('exists', 'this process has begun the run')
    this.#writing.add(runId)
    try {
      return await this.#claim(runId, topics, options)
    } catch (error) {
      this.#forget(runId)
      throw error
    }
  }

  /** Becomes the one writer of the run. @throws as `begin` does */
  async #claim(runId: string, topics: RunTopics, options: ClaimOptions): Promise<Chain> {
    const controller = this.#controllerOf(runId)
    const stopped = () => controller.abort(new RunError('stopped', 'the run was stopped'))
    // From now on, no request to stop a run that has begun can be missed.
    await this.#stops.add(runId, { stopped, failed: (error) => controller.abort(error) })
    controller.signal.throwIfAborted()
    return this.#claims.claim(topics, options)
  }
}
