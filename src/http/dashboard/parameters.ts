// Reads the parameters of the dashboard's endpoints. Unknown, repeated and impossible ones are refused, as everywhere.
import type { StreamSort } from '../../dashboard-api/streams.ts'
import { TidingsError } from '../../errors.ts'
import type { StreamQuery } from '../../hub/telemetry/stream-list.ts'
import { type Parameters, parseSwitch } from '../body.ts'
import { Fields, shown, wholeNumber } from '../simple/parameters.ts'
import type { InspectQuery } from './dashboard.ts'

const sorts: readonly StreamSort[] = ['address', 'subject', 'topics', 'state', 'age', 'lag', 'buffered', 'delivered']
const listFields = ['sort', 'order', 'state', 'filter', 'offset', 'limit'] as const
const maxRows = 500
/** The last row of a list. Each node sends that many. */
const maxEnd = 10_000
const maxFilter = 200
const maxTopic = 4_096

export function readStreamQuery(parameters: Parameters): StreamQuery {
  const fields = new Fields(parameters, listFields)
  const state = fields.one('state')
  if (state !== undefined && state !== 'live' && state !== 'behind') refuse('state_invalid', state)
  const filter = fields.one('filter')
  if (filter !== undefined && filter.length > maxFilter) {
    throw new TidingsError('filter_invalid', `the limit is ${maxFilter} characters`)
  }
  const offset = readNumber(fields, 'offset', 0)
  const limit = readRows(fields, 100)
  if (offset + limit > maxEnd) {
    throw new TidingsError('offset_invalid', `offset and limit together are at most ${maxEnd}; use filter instead`)
  }
  return {
    sort: readSort(fields.one('sort')),
    order: readOrder(fields.one('order')),
    ...(state !== undefined && { state }),
    ...(filter && { filter: filter.toLowerCase() }),
    offset,
    limit
  }
}

/** @param byDefault the number of rows without the parameter */
export function readRowLimit(parameters: Parameters, byDefault: number): number {
  return readRows(new Fields(parameters, ['limit']), byDefault)
}

export function readInspectQuery(parameters: Parameters): InspectQuery {
  const fields = new Fields(parameters, ['topic', 'id', 'private'])
  const topic = fields.one('topic')
  if (!topic) throw new TidingsError('topic_invalid', 'use ?topic=TOPIC')
  if (topic.length > maxTopic) throw new TidingsError('topic_invalid', `the limit is ${maxTopic} characters`)
  const id = fields.one('id')
  const given = fields.one('private')
  const isPrivate = given === undefined ? false : parseSwitch(given)
  if (isPrivate === undefined)
    throw new TidingsError('private_invalid', `write private=1, got private=${shown(given ?? '')}`)
  return { topic, isPrivate, ...(id && { id }) }
}

function readSort(value = 'age'): StreamSort {
  return sorts.find((sort) => sort === value) ?? refuse('sort_invalid', value, `expected ${sorts.join(', ')}`)
}

function readOrder(value = 'desc'): 'asc' | 'desc' {
  return value === 'asc' || value === 'desc' ? value : refuse('order_invalid', value)
}

function readRows(fields: Fields, byDefault: number): number {
  const limit = readNumber(fields, 'limit', byDefault)
  if (limit >= 1 && limit <= maxRows) return limit
  throw new TidingsError('limit_invalid', `expected 1 to ${maxRows}, got ${limit}`)
}

function readNumber(fields: Fields, name: 'offset' | 'limit', byDefault: number): number {
  const text = fields.one(name)
  return text === undefined ? byDefault : wholeNumber(text, `${name}_invalid`)
}

function refuse(code: 'state_invalid' | 'sort_invalid' | 'order_invalid', value: string, expected?: string): never {
  throw new TidingsError(code, `${expected === undefined ? '' : `${expected}, `}got "${shown(value)}"`)
}
