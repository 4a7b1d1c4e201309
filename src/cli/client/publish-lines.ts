// Publishes line after line, in order, as many together as have come while the last request was under way. It knows no
// terminal.
import { Failure, Refused } from './failure.ts'
import type { Lines } from './lines.ts'
import type { Publisher } from './publisher.ts'

/** Lines and characters that go in one request: far below what a server takes by default. */
const most = { lines: 1_000, size: 2 ** 18 }

/** What all updates have besides their data; what is undefined is left out. */
export type Fields = Readonly<Record<string, unknown>>

/**
 * Answers how many were published, once there are no more.
 * @throws Failure that names the line, once all before it are published
 */
export async function publishLines(
  publisher: Publisher,
  lines: Lines,
  fields: Fields,
  published: (ids: string[]) => void
): Promise<number> {
  let limit = most.lines
  for (;;) {
    const batch = await lines.peek(limit, most.size).catch(unreadable)
    if (batch.length === 0) return lines.number - 1
    try {
      published(await send(publisher, fields, batch))
      lines.drop(batch.length)
      limit = Math.min(most.lines, limit * 2)
    } catch (error) {
      if (!canBeHalved(error, batch.length)) throw named(error, lines)
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

/** All of a batch or none is published, so that what is refused for one line is found by going in smaller steps. */
function canBeHalved(error: unknown, count: number): boolean {
  return count > 1 && error instanceof Refused && (error.status === 400 || error.status === 413)
}

function named(error: unknown, lines: Lines): unknown {
  if (error instanceof Refused) return new Failure(`line ${lines.number}: ${error.message}`)
  if (!(error instanceof Failure)) return error
  return new Failure(
    `${error.message}; ${lines.waiting} lines from line ${lines.number} on were read and not published`
  )
}
