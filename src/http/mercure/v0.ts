// The 0.x dialect of Mercure (draft 7), which Symfony, API Platform and others use: its parameters, errors and
// documents.
import { type ErrorCode, TidingsError } from '../../errors.ts'
import { type Selector, textOf } from '../../topics/matcher.ts'
import type { Update } from '../../update.ts'
import { hubPath } from '../access/options.ts'
import type { Parameters } from '../body.ts'
import { encodeHeader } from '../response.ts'
import type { DialectError, MercureDialect } from './dialect.ts'
import { decodeVariable, encodeVariable, requireAtMost } from './encoding.ts'

const maxTopics = 1_000
const context = 'https://mercure.rocks/'
const unauthorized: [number, string] = [401, 'Unauthorized']

/** The texts of the reference hub, byte for byte, because clients may compare them. */
const errorTexts: Partial<Record<ErrorCode, [number, string]>> = {
  token_missing: unauthorized,
  token_invalid: unauthorized,
  token_revoked: unauthorized,
  token_malformed: unauthorized,
  cookie_refused: unauthorized,
  not_granted: unauthorized,
  revoked: unauthorized,
  selector_missing: [400, 'Missing "topic" parameter.'],
  selectors_too_many: [400, 'Too many "topic" parameters.'],
  topic_missing: [400, 'Missing "topic" parameter'],
  topics_too_many: [400, 'too many topics in update'],
  retry_invalid: [400, 'Invalid "retry" parameter'],
  // The reference hub reads a body that is not a form as an empty form.
  form_missing: [400, 'Missing "topic" parameter'],
  closed: [503, 'Service Unavailable'],
  internal: [500, 'Internal Server Error']
}

export const v0: MercureDialect = {
  dialect: '0.x',
  streamHeaders: {},
  lastEventIdHeader: 'Last-Event-ID',
  readSelectors,
  readLastEventId(parameters, header) {
    if (header) return header
    // Draft 6 has `Last-Event-ID`, and a polyfill sends `lastEventId`. An empty value counts as none.
    for (const spelling of ['lastEventID', 'Last-Event-ID', 'lastEventId']) {
      const value = parameters.find(([name, value]) => name === spelling && value !== '')?.[1]
      if (value !== undefined) return value
    }
    return undefined
  },
  checkUpdate({ topics }: Update) {
    // In this dialect, a topic is reserved if it contains the hub's path anywhere.
    if (topics.some((topic) => topic.includes(hubPath))) throw new TidingsError('topic_reserved')
  },
  describeError(error): DialectError {
    const [status, text] = errorTexts[error.code] ?? [error.status, error.message]
    return { status, text, headers: status === 401 ? { 'WWW-Authenticate': 'Bearer' } : {} }
  },
  pathOf: ({ selector, subscriber }) =>
    `${hubPath}/subscriptions/${queryEscape(textOf(selector))}/${queryEscape(subscriber)}`,
  documentOf(facts, active) {
    const { selector, subscriber, payload } = facts
    return {
      id: v0.pathOf(facts),
      type: 'Subscription',
      subscriber,
      topic: textOf(selector),
      active,
      ...(payload !== undefined && { payload })
    }
  },
  eventOf: (document) => ({ '@context': context, ...document }),
  readPath(segments) {
    const [topic, subscriber] = requireAtMost(2, segments)
    return {
      ...(topic !== undefined && { selector: decodeVariable(topic.replaceAll('+', ' ')) }),
      ...(subscriber !== undefined && { subscriber: decodeVariable(subscriber.replaceAll('+', ' ')) })
    }
  },
  single: (document, { lastEventId }) => ({ '@context': context, ...document, lastEventID: lastEventId }),
  collection: ({ id, lastEventId }) => ({ '@context': context, id, type: 'Subscriptions', lastEventID: lastEventId }),
  listHeaders: ({ lastEventId }) => ({ 'Content-Type': 'application/ld+json', ETag: encodeHeader(lastEventId) })
}

function readSelectors(parameters: Parameters): Selector[] {
  const topics = parameters.filter(([name]) => name === 'topic').map(([, value]) => value)
  if (topics.length === 0) throw new TidingsError('selector_missing')
  if (topics.length > maxTopics) throw new TidingsError('selectors_too_many')
  return topics
}

/** Encodes like Go's `url.QueryEscape`, with which the reference hub makes the paths of this dialect. */
function queryEscape(text: string): string {
  return encodeVariable(text).replaceAll('%20', '+')
}
