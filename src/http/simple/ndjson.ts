// Reads many updates from one body: a JSON object a line (`application/x-ndjson`). It names the line that is wrong, so that
// the sender can mend it; what is right about an update is not its business.
import { TidingsError } from '../../errors.ts'
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
    return validate(toUpdate(parseObject(line)))
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const why = error.message.replace(/\.$/, '')
    throw new TidingsError('line_invalid', `line ${number}: ${why}`, { cause: error })
  }
}

function parseObject(line: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    // The engine's own message quotes what was sent.
    throw new Error('it is not JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('it is not a JSON object')
  const unknown = Object.keys(value).find((key) => !fields.includes(key))
  if (unknown !== undefined) throw new Error(`it has a field that is not known; there are ${fields.join(', ')}`)
  if ('topic' in value && 'topics' in value) throw new Error('it has both topic and topics')
  return value as Record<string, unknown>
}

/** `validate` refuses what is of the wrong type, so this only says which field is which. */
function toUpdate({ topic, topics = topic, data = '', ...rest }: Record<string, unknown>): Update {
  const known = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null))
  return {
    topics: topics === undefined ? ['default'] : typeof topics === 'string' ? [topics] : topics,
    data: typeof data === 'string' ? data : JSON.stringify(data),
    ...known
  } as Update
}
