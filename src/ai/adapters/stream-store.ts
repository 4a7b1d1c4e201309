// The interface `ResumableStreamStore` of assistant-ui's `assistant-stream`, on runs. It replaces the stores in memory and in Redis.
import { RunError, type RunErrorCode } from '../errors.ts'
import type { RunStatus, Runs } from '../runs.ts'
import type { Producer } from '../writing/producer.ts'

export interface StreamStoreAcquireOptions {
  /** How long a producer may append nothing before it counts as gone, in milliseconds. Default: 24 hours. */
  readonly ttlMs?: number
}

export interface StreamStoreLease {
  readonly token: string
}

export type StreamStoreAcquisition =
  | { readonly role: 'producer'; readonly lease: StreamStoreLease }
  | { readonly role: 'consumer' }

export interface StreamStoreEntry {
  readonly cursor: string
  readonly chunk: Uint8Array
}

/** As `ResumableStreamStore` of `assistant-stream` 0.3.57. Its errors have the package's codes `missing`, `finalized` and `invalid-id`. */
export interface StreamStore {
  acquire(streamId: string, options?: StreamStoreAcquireOptions): Promise<'producer' | 'consumer'>
  acquireLease(streamId: string, options?: StreamStoreAcquireOptions): Promise<StreamStoreAcquisition>
  /** Only the store that has acquired the stream appends. */
  append(streamId: string, chunk: Uint8Array, lease?: StreamStoreLease): Promise<void>
  finalize(streamId: string, status: 'done' | 'error', error?: string, lease?: StreamStoreLease): Promise<boolean>
  read(streamId: string, cursor: string, signal: AbortSignal): AsyncIterable<StreamStoreEntry>
  status(streamId: string): Promise<'streaming' | 'done' | 'error' | 'missing'>
  /** @throws RunError `deletion_disabled` if the hub was started without `--allow-delete`; the stream has ended then */
  delete(streamId: string): Promise<void>
}

/** A stream is a run with the same id, whose chunks are its bytes in Base64. */
export function createResumableStreamStore(runs: Runs): StreamStore {
  return new RunStreamStore(runs)
}

const defaultTtlMs = 86_400_000
const idPattern = /^[A-Za-z0-9_.:-]{1,256}$/
/** The type of an update with the reason of an error, before the end. */
const reasonType = 'stream:error'

/** A stream that this store has acquired. */
interface Acquired {
  readonly token: string
  readonly producer: Producer
}

class RunStreamStore implements StreamStore {
  readonly #runs: Runs
  readonly #acquired = new Map<string, Acquired>()
  /** Acquisitions in progress. A second one for the same id waits, and finds the stream on the hub. */
  readonly #acquiring = new Map<string, Promise<unknown>>()

  constructor(runs: Runs) {
    this.#runs = runs
  }

  async acquire(streamId: string, options?: StreamStoreAcquireOptions): Promise<'producer' | 'consumer'> {
    return (await this.acquireLease(streamId, options)).role
  }

  async acquireLease(streamId: string, options: StreamStoreAcquireOptions = {}): Promise<StreamStoreAcquisition> {
    validate(this.#runs, streamId)
    const acquisition = (this.#acquiring.get(streamId) ?? Promise.resolve()).then(() =>
      this.#acquire(streamId, options)
    )
    const settled = acquisition.catch(() => {})
    this.#acquiring.set(streamId, settled)
    try {
      return await acquisition
    } finally {
      if (this.#acquiring.get(streamId) === settled) this.#acquiring.delete(streamId)
    }
  }

  async #acquire(
    streamId: string,
    { ttlMs = defaultTtlMs }: StreamStoreAcquireOptions
  ): Promise<StreamStoreAcquisition> {
    try {
      const producer = await this.#runs.producerOf(streamId, ttlMs)
      const token = crypto.randomUUID()
      this.#acquired.set(streamId, { token, producer })
      return { role: 'producer', lease: { token } }
    } catch (error) {
      if (!isRunError(error, 'exists', 'stopped', 'taken_over')) throw error
      return { role: 'consumer' }
    }
  }

  async append(streamId: string, chunk: Uint8Array, lease?: StreamStoreLease): Promise<void> {
    validate(this.#runs, streamId)
    const data = encode(chunk)
    const acquired = this.#ownedBy(streamId, lease)
    if (!acquired) throw await this.#refusal(streamId)
    try {
      await acquired.producer.append({ data })
    } catch (error) {
      throw isRunError(error, 'taken_over') ? await this.#refusal(streamId) : error
    }
  }

  async finalize(
    streamId: string,
    status: 'done' | 'error',
    error = 'Stream errored',
    lease?: StreamStoreLease
  ): Promise<boolean> {
    validate(this.#runs, streamId)
    const chunks = status === 'error' ? [{ data: JSON.stringify(error), type: reasonType }] : []
    const acquired = this.#ownedBy(streamId, lease)
    if (acquired) {
      try {
        return await acquired.producer.end(status, chunks)
      } catch (error) {
        if (!isRunError(error, 'taken_over')) throw error
      } finally {
        if (this.#acquired.get(streamId) === acquired) this.#acquired.delete(streamId)
      }
    }
    if ((await this.#runs.status(streamId)) === 'none') throw notFound(streamId)
    return lease || acquired ? false : this.#runs.end(streamId, status, chunks)
  }

  async *read(streamId: string, cursor: string, signal: AbortSignal): AsyncGenerator<StreamStoreEntry, void> {
    validate(this.#runs, streamId)
    if (!this.#acquired.has(streamId) && (await this.#runs.status(streamId)) === 'none') throw notFound(streamId)
    let reason = 'Stream errored'
    try {
      for await (const { id, data, type } of this.#runs.read(streamId, { from: cursor || undefined, signal })) {
        if (signal.aborted) return
        if (type === reasonType) reason = JSON.parse(data) as string
        else yield { cursor: id, chunk: decode(data) }
      }
    } catch (error) {
      if (signal.aborted || isRunError(error, 'deleted')) return
      throw isRunError(error, 'failed') ? new Error(reason, { cause: error }) : error
    }
  }

  async status(streamId: string): Promise<'streaming' | 'done' | 'error' | 'missing'> {
    validate(this.#runs, streamId)
    return statuses[await this.#runs.status(streamId)]
  }

  async delete(streamId: string): Promise<void> {
    validate(this.#runs, streamId)
    const acquired = this.#acquired.get(streamId)
    this.#acquired.delete(streamId)
    try {
      await acquired?.producer.end('stopped')
    } catch (error) {
      if (!isRunError(error, 'taken_over')) throw error
    }
    await this.#runs.delete(streamId)
  }

  #ownedBy(streamId: string, lease: StreamStoreLease | undefined): Acquired | undefined {
    const acquired = this.#acquired.get(streamId)
    return lease && lease.token !== acquired?.token ? undefined : acquired
  }

  /** Why nothing can be appended. */
  async #refusal(streamId: string): Promise<Error> {
    const status = await this.#runs.status(streamId)
    if (status === 'none') return notFound(streamId)
    if (status === 'running')
      return new StreamStoreError('missing', `Stream is written by another producer: ${streamId}`)
    return new StreamStoreError('finalized', `Stream already finalized: ${streamId}`)
  }
}

const statuses: Record<RunStatus, 'streaming' | 'done' | 'error' | 'missing'> = {
  none: 'missing',
  running: 'streaming',
  done: 'done',
  stopped: 'done',
  error: 'error'
}

/** With the name and the codes of the package's own error, which cannot be imported. */
class StreamStoreError extends Error {
  override readonly name = 'ResumableStreamError'
  readonly code: 'missing' | 'finalized' | 'invalid-id'

  constructor(code: StreamStoreError['code'], message: string) {
    super(message)
    this.code = code
  }
}

function validate(runs: Runs, streamId: string): void {
  if (!idPattern.test(streamId)) {
    throw new StreamStoreError('invalid-id', `Invalid streamId: ${streamId} (must match ${idPattern})`)
  }
  try {
    runs.topicOf(streamId)
  } catch (error) {
    throw new StreamStoreError('invalid-id', `Invalid streamId: ${(error as Error).message}`)
  }
}

function notFound(streamId: string): StreamStoreError {
  return new StreamStoreError('missing', `Stream not found: ${streamId}`)
}

function isRunError(error: unknown, ...codes: readonly RunErrorCode[]): error is RunError {
  return error instanceof RunError && codes.includes(error.code)
}

/** Base64. A call has a limited number of arguments. */
function encode(bytes: Uint8Array): string {
  let binary = ''
  for (let at = 0; at < bytes.length; at += 8_192) binary += String.fromCharCode(...bytes.subarray(at, at + 8_192))
  return btoa(binary)
}

function decode(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))
}
