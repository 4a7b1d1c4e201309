// Publishes lines in order. Lines that arrive during one request are sent together in the next.
import { Failure, Refused } from './failure.ts'
import type { Lines } from './lines.ts'
import type { Publisher } from './publisher.ts'

/** Lines and characters of one request: far below the default limits of a server. */
const maxBatch = { lines: 1_000, size: 2 ** 18 }

/** The fields of every update besides its data. Undefined ones are left out. */
export type Fields = Readonly<Record<string, unknown>>

/**
 * Returns how many lines were published, at the end of the input.
 * @throws Failure that names the line, once all before it are published
 */
export async function publishLines(
  publisher: Publisher,
  lines: Lines,
  fields: Fields,
  published: (ids: string[]) => void
): Promise<number> {
  let limit = maxBatch.lines
  for (;;) {
    const batch = await lines.peek(limit, maxBatch.size).catch(unreadable)
    if (batch.length === 0) return lines.number - 1
    try {
      published(await send(publisher, fields, batch))
      lines.drop(batch.length)
      limit = Math.min(maxBatch.lines, limit * 2)
    } catch (error) {
      if (!canHalve(error, batch.length)) throw withLine(error, lines)
      limit = Math.ceil(batch.length / 2)
    }
  }
}

function unreadable(error: Error): never {
  throw new Failure(`stdin cannot be read: ${error.message}`)
}

function send(publisher: Publisher, fields: Fields, batch: readonly string[]): Promise<string[]> {
  const body = batch.map((data) => JSON.stringify({ ...fields, data })).join('\n')
  return publisher.send('publish', 'application/x-ndjson', body, batch.length)
}

/** A batch is published as a whole or not at all. Halving a refused batch finds the line that caused it. */
function canHalve(error: unknown, count: number): boolean {
  return count > 1 && error instanceof Refused && (error.status === 400 || error.status === 413)
}

function withLine(error: unknown, lines: Lines): unknown {
  if (error instanceof Refused) return new Failure(`line ${lines.number}: ${error.message}`)
  if (!(error instanceof Failure)) return error
  return new Failure(
    `${error.message}; ${lines.waiting} lines from line ${lines.number} on were read but not published`
  )
}
