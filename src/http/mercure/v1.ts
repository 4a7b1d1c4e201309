// The 1.0 dialect of Mercure (draft 8): its parameters, errors and documents.
import { type ErrorCode, TidingsError } from '../../errors.ts'
import { compile, type Selector, type TypedSelector, textOf } from '../../topics/matcher.ts'
import type { Update } from '../../update.ts'
import { hubPath } from '../access/options.ts'
import { presenceType } from '../access/reserved.ts'
import type { Parameters } from '../body.ts'
import { encodeHeader } from '../response.ts'
import type { DialectError, MercureDialect } from './dialect.ts'
import { decodeVariable, encodeVariable, requireAtMost } from './encoding.ts'

const maxMatchers = 100
const maxBytes = 4_096
/** Control and format characters, which topics must not contain [Mercure 1.0, Terminology]. */
const invisible = /[\p{Cc}\p{Cf}]/u

export const notText = 'topic matcher values must be valid UTF-8 without control characters'

const typeOf: Record<string, TypedSelector['type']> = {
  match: 'exact',
  match_exact: 'exact',
  match_urlpattern: 'urlpattern'
}

/** Status and `error` of the challenge in `WWW-Authenticate` [RFC 6750, 3.1]. Empty if the request had no token. */
const challenges: Partial<Record<ErrorCode, [number, string]>> = {
  token_missing: [401, ''],
  token_invalid: [401, 'invalid_token'],
  token_revoked: [401, 'invalid_token'],
  token_malformed: [400, 'invalid_request'],
  cookie_refused: [400, 'invalid_request'],
  not_granted: [403, 'insufficient_scope']
}

/** The texts of the reference hub, byte for byte, because clients may compare them. */
const errorTexts: Partial<Record<ErrorCode, [number, string]>> = {
  selector_missing: [400, 'missing "match" subscription parameter'],
  topic_missing: [400, 'Missing "topic" parameter'],
  topics_too_many: [400, 'too many topics in update'],
  retry_invalid: [400, 'Invalid "retry" parameter'],
  closed: [503, 'Service Unavailable'],
  internal: [500, 'Internal Server Error']
}

export const v1: MercureDialect = {
  dialect: '1.0',
  streamHeaders: { Incremental: '?1' },
  lastEventIdHeader: 'Mercure-Last-Event-ID',
  readSelectors,
  readLastEventId(parameters, header) {
    if (header !== undefined) return header
    // An empty value counts. A polyfill sends `lastEventId`.
    const found =
      parameters.find(([name]) => name === 'last_event_id') ?? parameters.find(([name]) => name === 'lastEventId')
    return found?.[1]
  },
  checkUpdate({ topics, id, type }: Update, reserved) {
    const reject = (code: ErrorCode) => {
      throw new TidingsError(code, 'it contains a control or format character')
    }
    if (topics.some((topic) => invisible.test(topic))) reject('topic_invalid')
    if (id !== undefined && invisible.test(id)) reject('id_invalid')
    if (type !== undefined && invisible.test(type)) reject('type_invalid')
    if (topics.some((topic) => reserved.includes(topic))) throw new TidingsError('topic_reserved')
  },
  describeError,
  pathOf: ({ selector, subscriber }) =>
    [
      `${hubPath}/subscriptions`,
      matchTypeOf(selector),
      encodeVariable(textOf(selector)),
      encodeVariable(subscriber)
    ].join('/'),
  documentOf(facts, active) {
    const { selector, subscriber, payload } = facts
    return {
      id: v1.pathOf(facts),
      type: 'subscription',
      match_type: matchTypeOf(selector),
      match: textOf(selector),
      subscriber,
      active,
      ...(payload !== undefined && { payload })
    }
  },
  presenceType,
  eventOf: (document) => document,
  readPath,
  single: (document) => document,
  collection: ({ id }) => ({ id, type: 'subscriptions' }),
  listHeaders({ lastEventId }, hubUrl) {
    const id = encodeHeader(lastEventId)
    const quoted = `"${id.replace(/["\\]/g, '\\$&')}"`
    return {
      'Content-Type': 'application/json',
      ETag: quoted,
      Link: `<${hubUrl}>; rel="mercure"; last-event-id=${quoted}; type="mercure"; content-type="application/json"`
    }
  }
}

function readSelectors(parameters: Parameters, base: string): Selector[] {
  const selectors: TypedSelector[] = []
  for (const [name, match] of parameters) {
    if (name === 'topic')
      throw new TidingsError(
        'parameter_unknown',
        'unknown topic matcher query parameter: "topic" (use "match" or "match_urlpattern")'
      )
    if (!/^match/i.test(name)) continue
    const type = typeOf[name]
    if (!type)
      throw new TidingsError(
        'parameter_unknown',
        'a parameter that begins with "match" must be match, match_exact or match_urlpattern'
      )
    if (selectors.length === maxMatchers)
      throw new TidingsError('selectors_too_many', `too many matchers (max ${maxMatchers})`)
    selectors.push(readMatcher(match, type, base))
  }
  if (selectors.length === 0) throw new TidingsError('selector_missing')
  return selectors
}

function readMatcher(match: string, type: TypedSelector['type'], base: string): TypedSelector {
  const selector = { match, type, base }
  if (invisible.test(match)) {
    throw new TidingsError('selector_invalid', notText)
  }
  if (Buffer.byteLength(match) > maxBytes) {
    throw new TidingsError('selector_invalid', `pattern too long (max ${maxBytes} bytes)`)
  }
  try {
    if (match !== '') compile(selector)
  } catch (error) {
    throw new TidingsError('selector_invalid', 'invalid topic matcher pattern', { cause: error })
  }
  return selector
}

function describeError(error: TidingsError, metadataUrl: string): DialectError {
  const challenge = challenges[error.code]
  if (challenge) {
    const [status, code] = challenge
    const parts = [...(code ? [`error="${code}"`] : []), `resource_metadata="${metadataUrl}"`]
    return { status, text: error.message, headers: { 'WWW-Authenticate': `Bearer ${parts.join(', ')}` } }
  }
  const [status, text] = errorTexts[error.code] ?? [
    error.code === 'topic_reserved' ? 400 : error.status,
    textFor(error)
  ]
  return { status, text }
}

/** For an invalid matcher, the text of the reference hub without our sentence. */
function textFor({ code, message, detail = message }: TidingsError): string {
  return ['selector_invalid', 'selectors_too_many', 'parameter_unknown'].includes(code) ? detail : message
}

function matchTypeOf(selector: Selector): TypedSelector['type'] {
  return typeof selector === 'string' ? 'exact' : selector.type
}

function readPath(segments: readonly string[], base: string): ReturnType<MercureDialect['readPath']> {
  const [type, match, subscriber] = requireAtMost(3, segments)
  if (type === undefined) return {}
  if (match === undefined || (type !== 'exact' && type !== 'urlpattern')) {
    throw new TidingsError('path_invalid', 'the path of a list is subscriptions/exact/… or subscriptions/urlpattern/…')
  }
  const selector = { match: decodeVariable(match), type, base } as const
  return { selector, ...(subscriber !== undefined && { subscriber: decodeVariable(subscriber) }) }
}
