// The interface `StreamDurability` of TanStack AI, on runs: its producers, resuming clients and drivers use the hub.
import type { Runs } from '../runs.ts'
import type { Journal, JournalEntry } from '../writing/journal.ts'

/** The run, and where a client resumes: from a request, or given. */
export type DurabilitySource = Request | { readonly runId: string; readonly offset?: string | null }

export interface StreamDurabilityOptions {
  /** How long a client that joins from the start waits for the first chunk, in milliseconds. Default: 5,000. */
  readonly firstChunkDeadlineMs?: number
}

export interface DurableChunk<Chunk> {
  readonly offset: string
  readonly chunk: Chunk
}

/** As `UpsertableStreamDurability` of `@tanstack/ai` 0.58. */
export interface RunDurability<Chunk> {
  resumeFrom(): string | null
  append(chunks: Chunk[]): Promise<string[]>
  upsert(entries: DurableChunk<Chunk>[]): Promise<string[]>
  read(offset: string, signal?: AbortSignal): AsyncIterable<DurableChunk<Chunk>>
  snapshot(): Promise<DurableChunk<Chunk>[]>
  close(): Promise<void>
}

/** @throws TypeError for an invalid run id or offset */
export function createStreamDurability<Chunk = unknown>(
  runs: Runs,
  source: DurabilitySource,
  { firstChunkDeadlineMs = 5_000 }: StreamDurabilityOptions = {}
): RunDurability<Chunk> {
  const offset = source instanceof Request ? offsetIn(source) : (source.offset ?? null)
  const runId = source instanceof Request ? runIdIn(source, offset) : source.runId
  return new Durability<Chunk>(runs.journalOf(runId), runId, offset, firstChunkDeadlineMs)
}

/** An entry, in the order of the run. A later entry may replace it. */
interface Position {
  readonly seq: number
  readonly data: string
}

class Durability<Chunk> implements RunDurability<Chunk> {
  readonly #journal: Journal
  readonly #prefix: string
  readonly #offset: string | null
  readonly #deadlineMs: number
  #last: Promise<unknown> = Promise.resolve()
  /** The newest sequence number; undefined before the first append. */
  #tail: number | undefined

  constructor(journal: Journal, runId: string, offset: string | null, deadlineMs: number) {
    this.#journal = journal
    this.#prefix = `${scheme}${encodeURIComponent(runId)}:`
    this.#offset = offset
    this.#deadlineMs = deadlineMs
  }

  resumeFrom(): string | null {
    return this.#offset
  }

  append(chunks: Chunk[]): Promise<string[]> {
    return this.#inTurn(async () => {
      const tail = this.#tail ?? tailOf((await this.#stored()).positions)
      const entries = chunks.map((chunk, at) => ({
        id: `${this.#prefix}${tail + at + 1}`,
        data: JSON.stringify(chunk)
      }))
      if (entries.length > 0) await this.#journal.append(entries)
      this.#tail = tail + entries.length
      return entries.map(({ id }) => id)
    })
  }

  upsert(given: DurableChunk<Chunk>[]): Promise<string[]> {
    return this.#inTurn(async () => {
      const { positions } = await this.#stored()
      const stored = new Map(positions.map(({ seq, data }) => [seq, data]))
      const seen = new Set<number>()
      let tail = tailOf(positions)
      // Also visits holes, which `map` would skip.
      const entries = Array.from(given, (entry: DurableChunk<Chunk> | undefined, at) => {
        if (entry === undefined) throw new TypeError(`entries[${at}] is missing`)
        const seq = this.#seqOf(entry.offset)
        if (seen.has(seq)) throw new TypeError(`entries[${at}].offset is repeated within the batch`)
        seen.add(seq)
        const data = JSON.stringify(entry.chunk)
        if (stored.has(seq)) return stored.get(seq) === data ? undefined : { id: replacing(entry.offset), data }
        if (seq <= tail) throw new TypeError(`entries[${at}].offset is not stored, and not after what is stored`)
        tail = seq
        return { id: entry.offset, data }
      })
      const changed = entries.filter((entry) => entry !== undefined)
      if (changed.length > 0) await this.#journal.append(changed)
      this.#tail = tail
      return given.map(({ offset }) => offset)
    })
  }

  async *read(offset: string, signal?: AbortSignal): AsyncGenerator<DurableChunk<Chunk>, void> {
    const isJoin = offset === '-1' || offset === 'now'
    let last = isJoin ? 0 : this.#seqOf(offset)
    const { positions, isComplete, lastEventId } = await this.#stored()
    if (offset === 'now') last = tailOf(positions)
    if (positions.length === 0 && !isComplete && !isJoin) throw new Error('the run is unknown, or no longer kept')
    for (const { seq, data } of positions) {
      if (signal?.aborted) return
      if (seq > last) yield this.#chunkOf(seq, data)
    }
    if (isComplete) return
    last = Math.max(last, tailOf(positions))
    for await (const entry of this.#follow(lastEventId, signal, positions.length === 0)) {
      const seq = this.#seqOf(entry.id)
      // A replacement of what this reader has.
      if (seq <= last) continue
      last = seq
      yield this.#chunkOf(seq, entry.data)
    }
  }

  async snapshot(): Promise<DurableChunk<Chunk>[]> {
    return (await this.#stored()).positions.map(({ seq, data }) => this.#chunkOf(seq, data))
  }

  close(): Promise<void> {
    return this.#inTurn(() => this.#journal.close())
  }

  /** With a deadline, it fails if the first entry does not come in time. */
  async *#follow(
    from: string,
    signal: AbortSignal | undefined,
    hasDeadline: boolean
  ): AsyncGenerator<JournalEntry, void> {
    const controller = new AbortController()
    const abort = () => controller.abort()
    signal?.addEventListener('abort', abort)
    if (signal?.aborted) abort()
    let isLate = false
    const expire = () => {
      isLate = true
      abort()
    }
    const timer = hasDeadline ? setTimeout(expire, this.#deadlineMs) : undefined
    try {
      for await (const entry of this.#journal.follow(from, controller.signal)) {
        clearTimeout(timer)
        yield entry
      }
    } finally {
      clearTimeout(timer)
      abort()
      signal?.removeEventListener('abort', abort)
    }
    if (isLate && !signal?.aborted) throw new Error(`the run produced no chunk within ${this.#deadlineMs} ms`)
  }

  /** What is stored, in order, with replacements applied. */
  async #stored() {
    const { entries, isComplete, lastEventId } = await this.#journal.snapshot()
    const newest = new Map<number, string>()
    // A key that is set again keeps its place.
    for (const { id, data } of entries) newest.set(this.#seqOf(id), data)
    const positions: Position[] = [...newest].map(([seq, data]) => ({ seq, data }))
    return { positions, isComplete, lastEventId }
  }

  #chunkOf(seq: number, data: string): DurableChunk<Chunk> {
    return { offset: `${this.#prefix}${seq}`, chunk: JSON.parse(data) as Chunk }
  }

  /** @throws TypeError for an offset of another run, or of another kind */
  #seqOf(offset: string): number {
    const [, seq] =
      (offset.startsWith(this.#prefix) && /^([1-9]\d{0,14})(\.|$)/.exec(offset.slice(this.#prefix.length))) || []
    if (seq === undefined) throw new TypeError(`${JSON.stringify(offset)} is not an offset of this run`)
    return Number(seq)
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work)
    this.#last = done.catch(() => {})
    return done
  }
}

const scheme = 'tidings:v1:'

/** The id of an update that replaces the one with this offset. The ids of updates must differ. */
function replacing(offset: string): string {
  return `${offset}.${crypto.randomUUID().slice(0, 8)}`
}

function tailOf(positions: readonly Position[]): number {
  return positions.at(-1)?.seq ?? 0
}

function offsetIn(request: Request): string | null {
  return request.headers.get('Last-Event-ID') || new URL(request.url).searchParams.get('offset')
}

/** An offset names its run. Otherwise the request does, or it is a new one. */
function runIdIn(request: Request, offset: string | null): string {
  if (offset?.startsWith(scheme)) return decodeURIComponent(offset.slice(scheme.length, offset.lastIndexOf(':')))
  const named = request.headers.get('X-Run-Id') || new URL(request.url).searchParams.get('runId')
  return named ?? crypto.randomUUID()
}
