// Reads a batch of updates: one JSON object per line (`application/x-ndjson`). An error names the first bad line.
import { TidingsError } from '../../errors.ts'
import { type JsonObject, parseObject } from '../../json.ts'
import { type Update, type ValidUpdate, validate } from '../../update.ts'

/** Updates that one batch may contain. */
const maxUpdates = 10_000
const fields = ['topic', 'topics', 'data', 'type', 'id', 'retry', 'private', 'end']

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
  const unknown = Object.keys(object).find((key) => !fields.includes(key))
  if (unknown !== undefined) throw new Error(`it has an unknown field; the fields are ${fields.join(', ')}`)
  if ('topic' in object && 'topics' in object) throw new Error('it has both topic and topics')
  return object
}

/** Renames fields and sets defaults. `validate` refuses values of the wrong type. */
function toUpdate({ topic, topics = topic, data = '', ...rest }: JsonObject): Update {
  const known = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null))
  return {
    topics: topics === undefined ? ['default'] : typeof topics === 'string' ? [topics] : topics,
    data: typeof data === 'string' ? data : JSON.stringify(data),
    ...known
  } as Update
}
