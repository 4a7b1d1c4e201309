// Reads the parameters of the simple endpoints. Unknown and repeated parameters are refused, because they are usually
// mistakes.
import { TidingsError } from '../../errors.ts'
import type { Encoding } from '../../hub/delivery/frame.ts'
import type { HistoryRequest } from '../../hub/history/history.ts'
import type { RevocationTarget } from '../../hub/revocation/revocation.ts'
import type { SubscribeRequest } from '../../hub/subscribe-request.ts'
import { parseDuration } from '../../units.ts'
import type { Update } from '../../update.ts'
import { type Parameters, parseSwitch } from '../body.ts'

/** The fields of an update that can be in the query. */
const queryFields = ['topic', 'type', 'id', 'retry', 'private', 'end'] as const
/** The fields of an update in a form. */
const formFields = [...queryFields, 'data'] as const
const maxListed = 1_000
const revocationFields = ['subject', 'jti', 'topic', 'address'] as const
const idFields = ['last_event_id', 'lastEventID', 'lastEventId'] as const
const subscribeFields = ['topic', 'last', 'envelope', 'ended', 'empty', 'gap', 'control', ...idFields] as const

/**
 * Reads an update.
 * @param data the body; undefined if the data is a parameter too
 */
export function readUpdate(parameters: Parameters, data: string | undefined): Update {
  const known = data === undefined ? formFields : queryFields
  const fields = new Fields(parameters, known)
  const topics = fields.all('topic')
  const type = fields.one('type')
  const id = fields.one('id')
  const retry = fields.one('retry')
  return {
    topics: topics.length > 0 ? topics : ['default'],
    data: data ?? fields.one('data') ?? '',
    ...(type && { type }),
    ...(id && { id }),
    ...(retry && { retry: wholeNumber(retry, 'retry_invalid') }),
    ...readSwitch(fields, 'private'),
    ...readSwitch(fields, 'end')
  }
}

/** A request for a stream, and the cases in which the client wants an answer without one. */
export interface StreamRequest extends SubscribeRequest {
  /** Answer 204 if all topics have ended, even if there is history to replay. */
  readonly skipsEnded: boolean
  /** Answer 204 if there is nothing to replay. */
  readonly checkEmpty: boolean
  /** Answer 410 instead of a stream with a gap. */
  readonly closesOnGap: boolean
}

/** Reads a request for a stream. The header takes precedence, because a browser's reconnect is newer than its URL. */
export function readSubscribeRequest(parameters: Parameters, header: string | undefined): StreamRequest {
  const fields = new Fields(parameters, subscribeFields)
  const last = fields.one('last')
  const lastEventId = (header || undefined) ?? idFields.map((name) => fields.one(name)).find((id) => id !== undefined)
  return {
    topics: fields.all('topic'),
    encoding: readEnvelope(fields.one('envelope')),
    skipsEnded: readWord(fields, 'ended', 'skip'),
    checkEmpty: readWord(fields, 'empty', 'skip'),
    closesOnGap: readWord(fields, 'gap', 'close'),
    ...(lastEventId && { lastEventId }),
    ...(last !== undefined && { last: wholeNumber(last, 'last_invalid') })
  }
}

const historyFields = ['topic', 'after', 'last', 'limit', 'wait'] as const

/** Reads a request for a page of history. */
export function readHistoryRequest(parameters: Parameters): HistoryRequest {
  const fields = new Fields(parameters, historyFields)
  const [after, last, limit, wait] = (['after', 'last', 'limit', 'wait'] as const).map((name) => fields.one(name))
  return {
    topics: fields.all('topic'),
    ...(after && { lastEventId: after }),
    ...(last !== undefined && { last: wholeNumber(last, 'last_invalid') }),
    ...(limit !== undefined && { limit: wholeNumber(limit, 'limit_invalid') }),
    ...(wait !== undefined && { wait: readWait(wait) })
  }
}

function readWait(text: string): number {
  try {
    return parseDuration(text)
  } catch {
    throw new TidingsError('wait_invalid', `expected a duration such as 30s, got "${shown(text)}"`)
  }
}

/** The topics to delete. @throws TidingsError `delete_target_missing` */
export function readDeleteTopics(parameters: Parameters): string[] {
  const topics = new Fields(parameters, ['topic']).all('topic')
  if (topics.length === 0) {
    throw new TidingsError('delete_target_missing', 'use DELETE /updates?topic=TOPIC or DELETE /updates/ID')
  }
  return topics
}

/** Removes the parameter that may contain the token. */
export function withoutToken(query: Parameters): Parameters {
  return query.filter(([name]) => name !== 'authorization')
}

/** Whether a parameter has its only possible value. */
function readWord(fields: Fields, name: 'ended' | 'empty' | 'gap', word: string): boolean {
  const value = fields.one(name)
  if (value === undefined || value === word) return value !== undefined
  throw new TidingsError(`${name}_invalid`, `got "${shown(value)}"`)
}

/** Whether the stream shall have a control URL. */
export function readControl(parameters: Parameters): boolean {
  const value = new Fields(parameters, subscribeFields).one('control')
  if (value !== undefined && value !== '1') throw new TidingsError('control_invalid', `got "${shown(value)}"`)
  return value !== undefined
}

function readEnvelope(value: string | undefined): Encoding {
  if (value !== undefined && value !== 'json') throw new TidingsError('envelope_invalid', `got "${shown(value)}"`)
  return value ?? 'plain'
}

function readSwitch(fields: Fields, name: 'private' | 'end'): Pick<Update, 'private' | 'end'> {
  const value = fields.one(name)
  if (value === undefined) return {}
  const isOn = parseSwitch(value)
  if (isOn !== undefined) return { [name]: isOn }
  throw new TidingsError(`${name}_invalid`, `write ${name} or ${name}=true, got ${name}=${shown(value)}`)
}

/** How many entries of a list the response has: `limit`, default and at most 1,000. */
export function readLimit(parameters: Parameters): number {
  const limit = new Fields(parameters, ['limit']).one('limit')
  return limit === undefined ? maxListed : Math.min(maxListed, wholeNumber(limit, 'limit_invalid'))
}

/**
 * Whether a body with the content type of a form begins with a name and `=`. Otherwise, as in `curl -d hello`, the body
 * is the data.
 */
export function startsLikeForm(body: string): boolean {
  return /^[A-Za-z_]+=/.test(body)
}

/** Reads what a revocation refuses. The hub checks the values. */
export function readRevocationTarget(parameters: Parameters): RevocationTarget {
  const fields = new Fields(parameters, revocationFields)
  return Object.fromEntries(revocationFields.map((name) => [name, fields.one(name)]))
}

export function wholeNumber(
  text: string,
  code: 'retry_invalid' | 'last_invalid' | 'limit_invalid' | 'offset_invalid'
): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new TidingsError(code, `got "${shown(text)}"`)
}

/**
 * For an endpoint without parameters.
 * @throws TidingsError `parameter_unknown`
 */
export function refuseParameters(parameters: Parameters): void {
  new Fields(parameters, [])
}

/** Shortens a client's text and replaces its control characters, for an error message. */
export function shown(text: string): string {
  const short = text.length > 64 ? `${text.slice(0, 64)}…` : text
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters it exists to find
  return short.replace(/[\0-\x1f\x7f]/g, '\ufffd')
}

/** The parameters of an endpoint, by name. */
export class Fields {
  readonly #values = new Map<string, string[]>()

  /** @throws TidingsError `parameter_unknown` */
  constructor(parameters: Parameters, known: readonly string[]) {
    const unknown = parameters.find(([name]) => !known.includes(name))
    if (unknown) {
      const others = known.length > 0 ? `the parameters are ${known.join(', ')}` : 'this endpoint has no parameters'
      throw new TidingsError('parameter_unknown', `"${shown(unknown[0])}"; ${others}`)
    }
    for (const [name, value] of parameters) this.#values.set(name, [...this.all(name), value])
  }

  all(name: string): string[] {
    return this.#values.get(name) ?? []
  }

  /** @throws TidingsError `parameter_repeated` */
  one(name: string): string | undefined {
    const values = this.all(name)
    if (values.length > 1) throw new TidingsError('parameter_repeated', `"${name}"`)
    return values[0]
  }
}
