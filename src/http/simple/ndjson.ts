// Reads a batch of updates: one JSON object per line (`application/x-ndjson`). An error names the first bad line.
import { TidingsError } from '../../errors.ts'
import { type JsonObject, parseObject } from '../../json.ts'
import { type Update, type ValidUpdate, validate } from '../../update.ts'

/** Updates that one batch may contain. */
const maxUpdates = 10_000
const options = ['type', 'id', 'retry', 'private', 'end'] as const
const fields: ReadonlySet<string> = new Set(['topic', 'topics', 'data', ...options])

/** @throws TidingsError `line_invalid` with the number of the first bad line, `batch_empty` or `batch_too_large` */
export function readBatch(text: string): ValidUpdate[] {
  const updates: ValidUpdate[] = []
  let number = 0
  for (const line of text.split('\n')) {
    number++
    if (line.trim() === '') continue
    if (updates.length === maxUpdates) throw new TidingsError('batch_too_large', `the limit is ${maxUpdates}`)
    updates.push(readLine(line, number))
  }
  if (updates.length === 0) throw new TidingsError('batch_empty', 'send one JSON object per line')
  return updates
}

function readLine(line: string, number: number): ValidUpdate {
  try {
    return validate(toUpdate(readObject(line)))
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const why = error.message.replace(/\.$/, '')
    throw new TidingsError('line_invalid', `line ${number}: ${why}`, { cause: error })
  }
}

function readObject(line: string): JsonObject {
  const object = parseObject(line, 'it')
  for (const key in object) {
    if (!fields.has(key)) throw new Error(`it has an unknown field; the fields are ${[...fields].join(', ')}`)
  }
  if ('topic' in object && 'topics' in object) throw new Error('it has both topic and topics')
  return object
}

/** Renames fields and sets defaults. `validate` refuses values of the wrong type. */
function toUpdate(object: JsonObject): Update {
  const { topic, topics = topic, data = '' } = object
  const update: Record<string, unknown> = {
    topics: topics === undefined ? ['default'] : typeof topics === 'string' ? [topics] : topics,
    data: typeof data === 'string' ? data : JSON.stringify(data)
  }
  for (const name of options) {
    const value = object[name]
    if (value !== undefined && value !== null) update[name] = value
  }
  return update as unknown as Update
}
