// Turns what a model's library returns into chunks: an event stream as text or bytes, or an iteration over values.
import { createParser } from 'eventsource-parser'
import { lastData } from './names.ts'

/** A part of a run, as it is published. */
export interface Chunk {
  readonly data: string
  readonly type?: string
}

/** `ReadableStream`, whose types do not always say that it can be iterated over. */
export interface StreamLike<T> {
  getReader(): {
    read(): Promise<{ readonly done: boolean; readonly value?: T | undefined }>
    cancel(reason?: unknown): Promise<void>
  }
}

export type Source = AsyncIterable<unknown> | StreamLike<unknown>

/** `sse`: the text or bytes of an event stream. `values`: each value is a chunk; a text unchanged, anything else as JSON. */
export type SourceFormat = 'sse' | 'values'

/** Reads one value after the other. */
export interface Reader {
  next(): Promise<{ readonly done?: boolean | undefined; readonly value?: unknown }>
  /** Tells the source that nothing more is wanted. Does not wait for it. */
  cancel(reason: unknown): void
}

/** @throws TypeError for a value that is no stream */
export function readerOf(source: Source): Reader {
  if (typeof (source as StreamLike<unknown>)?.getReader === 'function') {
    const reader = (source as StreamLike<unknown>).getReader()
    return {
      next: () => reader.read(),
      cancel: (reason) => ignoreErrors(reader.cancel(reason))
    }
  }
  if (typeof (source as AsyncIterable<unknown>)?.[Symbol.asyncIterator] !== 'function') {
    throw new TypeError('expected a ReadableStream, or an async iterable')
  }
  const iterator = (source as AsyncIterable<unknown>)[Symbol.asyncIterator]()
  return {
    next: () => iterator.next(),
    cancel: () => ignoreErrors(Promise.resolve(iterator.return?.()))
  }
}

/** A source that fails when it is cancelled has nothing to say any more. */
function ignoreErrors(promise: Promise<unknown>): void {
  promise.catch(() => {})
}

/** Turns values into chunks. Text and bytes are an event stream, unless the format says otherwise. */
export class ChunkReader {
  #isEventStream: boolean | undefined
  readonly #decoder = new TextDecoder()
  readonly #chunks: Chunk[] = []
  readonly #parser = createParser({
    onEvent: ({ event, data }) => {
      if (data !== lastData) this.#chunks.push({ data, ...(event && { type: event }) })
    },
    onError: (error) => {
      throw new TypeError(`the stream is not an event stream: ${error.message}; for other texts, use format: 'values'`)
    }
  })

  constructor(format?: SourceFormat) {
    this.#isEventStream = format && format === 'sse'
  }

  /** @throws TypeError for text that is no event stream */
  read(value: unknown): Chunk[] {
    this.#isEventStream ??= typeof value === 'string' || value instanceof Uint8Array
    if (!this.#isEventStream) return [{ data: typeof value === 'string' ? value : JSON.stringify(value) }]
    this.#parser.feed(typeof value === 'string' ? value : this.#decoder.decode(value as Uint8Array, { stream: true }))
    return this.#chunks.splice(0)
  }
  /** @throws TypeError when what is left is no event stream */
  finish(): void {
    if (this.#isEventStream) this.#parser.reset({ consume: true })
  }
}
