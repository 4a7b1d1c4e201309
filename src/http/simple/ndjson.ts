// Reads many updates from one body: a JSON object a line (`application/x-ndjson`). It names the line that is wrong, so that
// the sender can mend it; what is right about an update is not its business.
import { TidingsError } from '../../errors.ts'
import { type JsonObject, parseObject } from '../../json.ts'
import { type Update, type ValidUpdate, validate } from '../../update.ts'

/** Updates that one batch may hold. */
const maxUpdates = 10_000
const fields = ['topic', 'topics', 'data', 'type', 'id', 'retry', 'private']

/** @throws TidingsError `line_invalid` with the number of the first bad line, `batch_empty` or `batch_too_large` */
export function readBatch(text: string): ValidUpdate[] {
  const updates: ValidUpdate[] = []
  let number = 0
  for (const line of text.split('\n')) {
    number++
    if (line.trim() === '') continue
    if (updates.length === maxUpdates) throw new TidingsError('batch_too_large', `${maxUpdates} are allowed`)
    updates.push(readLine(line, number))
  }
  if (updates.length === 0) throw new TidingsError('batch_empty', 'send one JSON object a line')
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

/** `validate` refuses what is of the wrong type, so this only says which field is which. */
function toUpdate({ topic, topics = topic, data = '', ...rest }: JsonObject): Update {
  const known = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null))
  return {
    topics: topics === undefined ? ['default'] : typeof topics === 'string' ? [topics] : topics,
    data: typeof data === 'string' ? data : JSON.stringify(data),
    ...known
  } as Update
}
