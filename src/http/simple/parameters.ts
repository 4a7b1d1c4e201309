// Reads the parameters of the simple endpoints. Unknown and repeated parameters are refused, because they are usually
// mistakes.
import { TidingsError } from '../../errors.ts'
import type { Encoding } from '../../hub/delivery/frame.ts'
import type { SubscribeRequest } from '../../hub/subscribe-request.ts'
import type { Update } from '../../update.ts'
import type { Parameters } from '../body.ts'

/** The fields of an update that can be in the query. */
const queryFields = ['topic', 'type', 'id', 'retry', 'private'] as const
/** The fields of an update in a form. */
const formFields = [...queryFields, 'data'] as const
const maxListed = 1_000
const subscribeFields = ['topic', 'last', 'envelope', 'control', 'last_event_id', 'lastEventID', 'lastEventId'] as const

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
    ...(fields.one('private') !== undefined && { private: readPrivate(fields.one('private') as string) })
  }
}

/** Reads a request for a stream. The header takes precedence, because a browser's reconnect is newer than its URL. */
export function readSubscribeRequest(parameters: Parameters, header: string | undefined): SubscribeRequest {
  const fields = new Fields(parameters, subscribeFields)
  const last = fields.one('last')
  const lastEventId =
    (header || undefined) ?? fields.one('last_event_id') ?? fields.one('lastEventID') ?? fields.one('lastEventId')
  return {
    topics: fields.all('topic'),
    encoding: readEnvelope(fields.one('envelope')),
    ...(lastEventId && { lastEventId }),
    ...(last !== undefined && { last: wholeNumber(last, 'last_invalid') })
  }
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

function readPrivate(value: string): boolean {
  if (['', 'on', 'true', '1'].includes(value)) return true
  if (['off', 'false', '0'].includes(value)) return false
  throw new TidingsError('private_invalid', `write private or private=true, got private=${shown(value)}`)
}

/** How many subscriptions the debug page lists: `limit`, default and at most 1,000. */
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

function wholeNumber(text: string, code: 'retry_invalid' | 'last_invalid' | 'limit_invalid'): number {
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
function shown(text: string): string {
  const short = text.length > 64 ? `${text.slice(0, 64)}…` : text
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters it exists to find
  return short.replace(/[\0-\x1f\x7f]/g, '\ufffd')
}

class Fields {
  readonly #values = new Map<string, string[]>()

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

  one(name: string): string | undefined {
    const values = this.all(name)
    if (values.length > 1) throw new TidingsError('parameter_repeated', `"${name}"`)
    return values[0]
  }
}
