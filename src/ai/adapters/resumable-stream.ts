// The interface of the package `resumable-stream`, on runs: an application replaces its import, and needs no Redis.
import { RunError } from '../errors.ts'
import type { RunChunk } from '../reading.ts'
import type { Runs } from '../runs.ts'

export interface ResumableStreamContextOptions {
  readonly runs: Runs
  /** Keeps the process alive until a promise is settled, such as `after` of Next.js. Not needed on a server that keeps running. */
  readonly waitUntil?: ((promise: Promise<unknown>) => void) | null | undefined
}

/** As in `resumable-stream` 2. */
export interface ResumableStreamContext {
  /** Creates the stream, or resumes it after so many characters. Null if it is complete. */
  resumableStream(
    streamId: string,
    makeStream: () => ReadableStream<string>,
    skipCharacters?: number
  ): Promise<ReadableStream<string> | null>
  /** Null if it is complete, undefined if there is none. */
  resumeExistingStream(streamId: string, skipCharacters?: number): Promise<ReadableStream<string> | null | undefined>
  /** @throws RunError `exists` if there is one */
  createNewResumableStream(
    streamId: string,
    makeStream: () => ReadableStream<string>,
    skipCharacters?: number
  ): Promise<ReadableStream<string> | null>
  hasExistingStream(streamId: string): Promise<null | true | 'DONE'>
}

/** A stream is a run with the same id, whose chunks are its texts. */
export function createResumableStreamContext({
  runs,
  waitUntil
}: ResumableStreamContextOptions): ResumableStreamContext {
  const create = async (streamId: string, makeStream: () => ReadableStream<string>) => {
    await runs.begin(streamId)
    // The copy that is written goes on when the other one is cancelled.
    const [returned, written] = makeStream().tee()
    const writing = runs.write(streamId, written, { format: 'values' })
    waitUntil?.(writing)
    return detached(returned)
  }
  const resume = async (streamId: string, skipCharacters = 0) => {
    const status = await runs.status(streamId)
    if (status === 'none') return undefined
    return status === 'running' ? textOf(runs, streamId, skipCharacters) : null
  }
  return {
    createNewResumableStream: create,
    resumeExistingStream: resume,
    resumableStream: async (streamId, makeStream, skipCharacters) => {
      const resumed = await resume(streamId, skipCharacters)
      if (resumed !== undefined) return resumed
      try {
        return await create(streamId, makeStream)
      } catch (error) {
        // Another process has begun it in this moment.
        if (!(error instanceof RunError && (error.code === 'exists' || error.code === 'taken_over'))) throw error
        return (await resume(streamId, skipCharacters)) ?? null
      }
    },
    hasExistingStream: async (streamId) => {
      const status = await runs.status(streamId)
      if (status === 'none') return null
      return status === 'running' ? true : 'DONE'
    }
  }
}

/** Cancelling one of two copies waits until the other one is cancelled too. This stream does not wait. */
function detached(copy: ReadableStream<string>): ReadableStream<string> {
  const reader = copy.getReader()
  return new ReadableStream<string>({
    async pull(stream) {
      const { done, value } = await reader.read()
      if (done) stream.close()
      else stream.enqueue(value)
    },
    cancel(reason) {
      reader.cancel(reason).catch(() => {})
    }
  })
}

/** The text of a run after so many characters. */
function textOf(runs: Runs, runId: string, skipCharacters: number): ReadableStream<string> {
  const controller = new AbortController()
  const chunks: AsyncIterator<RunChunk> = runs.read(runId, { signal: controller.signal })
  let left = skipCharacters
  return new ReadableStream<string>({
    async pull(stream) {
      for (;;) {
        const { done, value } = await chunks.next()
        if (done) return stream.close()
        const text = value.data.slice(left)
        left = Math.max(0, left - value.data.length)
        if (text !== '') return stream.enqueue(text)
      }
    },
    cancel: () => controller.abort()
  })
}
