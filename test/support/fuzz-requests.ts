// Requests and updates that nobody means well with, made by fast-check.
import * as fc from 'fast-check'
import { type Damage, damaged, type HostileTokens } from './fuzz-tokens.js'
import { type Dialect, dialects, hubPath } from './mercure.js'

/** Pieces that mean something to somebody on the way. */
const pieces = [
  ...['\r\n', '\n', '\r', '\0', '\t', ' ', '\u0085', '\u2028', '\u200b', '\ufeff', '\u007f', '\ud800', 'é', '🎉'],
  ...['data: x', '\n\ndata: x\n\n', '\nid: x', '\nevent: x', '\nretry: 1', ':', '\r\nX-Injected: 1', '\r\n\r\n'],
  ...['*', '{x', '{x}', '{+x}', 'a/{x}', '{?a,b*}', ':id', '(', '(.*)*$', '[', '\\', '"', "'", '<', '..', '/../'],
  ...[
    '#',
    '#0-0',
    '#zzzzzzzz-1',
    '#1-zzzzzzzzzzzzzz',
    'earliest',
    'mercure',
    'tidings:gap',
    '1e400',
    '-1',
    '9'.repeat(400)
  ],
  ...[hubPath, `${hubPath}/subscriptions/exact/a`, 'https://', 'https://[', 'urn:uuid:', '//x', 'x'.repeat(5_000)],
  ...['__proto__', 'constructor', 'toString', 'null', '{}', '[]', 'true']
]
const text = fc
  .array(fc.oneof(fc.constantFrom(...pieces), fc.string({ unit: 'binary', maxLength: 6 })), { maxLength: 4 })
  .map((parts) => parts.join(''))

/** The usual four times in five, so that what is unusual gets past the first door. */
function often<Value>(usual: fc.Arbitrary<Value>, unusual: fc.Arbitrary<Value>): fc.Arbitrary<Value> {
  return fc.oneof({ weight: 4, arbitrary: usual }, { weight: 1, arbitrary: unusual })
}

/** How a text stands in an address or a form: encoded, encoded in part, or as junk of percent signs. */
const junk = fc.constantFrom(
  '%',
  '%zz',
  '%ff',
  '%00',
  '%0d%0a',
  '%c3',
  '%ed%a0%80',
  '%F4%90%80%80',
  '+',
  ';',
  '=',
  '&&'
)
const encoded = text.map((value) => encodeURIComponent(value.toWellFormed()))
const part = fc.oneof({ weight: 3, arbitrary: encoded }, { weight: 1, arbitrary: fc.tuple(encoded, junk).map(String) })

const names = [
  ...['topic', 'match', 'match_exact', 'match_urlpattern', 'match_regexp', 'Match', 'data', 'type', 'id', 'retry'],
  ...['private', 'last_event_id', 'lastEventID', 'lastEventId', 'Last-Event-ID', 'last', 'envelope', 'limit'],
  ...['authorization', 'access_token', 'unknown']
]
const usual = fc.constantFrom('a', '*', 'a/{x}', '/a/:id', 'earliest', 'json', '5', '')
const value = fc.oneof(usual, part)
const anyName = fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...names) }, part)
const parametersOf = (name: fc.Arbitrary<string>, maxLength = 4) =>
  fc.array(fc.tuple(name, value), { maxLength }).map((pairs) => pairs.map((pair) => pair.join('=')).join('&'))
const parameters = parametersOf(anyName)
const none = fc.constant('')

const paths = ['/', '/subscribe', '/publish', '/debug', hubPath, `${hubPath}/subscriptions`]
const path = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...paths, hubPath, hubPath) },
  {
    weight: 3,
    arbitrary: fc.array(part, { maxLength: 4 }).map((parts) => [`${hubPath}/subscriptions`, ...parts].join('/'))
  },
  { weight: 1, arbitrary: part.map((rest) => `/${rest}`) }
)
const method = fc.constantFrom('GET', 'POST', 'QUERY', 'HEAD', 'OPTIONS', 'PUT', 'DELETE')

const line = fc.oneof(
  fc
    .record({ topic: text, data: fc.jsonValue(), id: text, type: text }, { requiredKeys: ['data'] })
    .map((value) => JSON.stringify(value)),
  text
)
const body = fc.oneof<fc.Arbitrary<string | Uint8Array>[]>(
  parameters,
  fc.array(line, { maxLength: 3 }).map((lines) => lines.join('\n')),
  fc.uint8Array({ maxLength: 200 })
)

type Target = Pick<HostileRequest, 'method' | 'path' | 'query'> & { readonly body: string | Uint8Array }
const target = (method: string, path: string, query: fc.Arbitrary<string>, body: Arbitrary = none) =>
  fc.record<Target>({ method: fc.constant(method), path: fc.constant(path), query, body })
type Arbitrary = fc.Arbitrary<string | Uint8Array>

const updates = parametersOf(fc.constantFrom('topic', 'type', 'id', 'retry', 'private', 'unknown'), 3)
const selectors = parametersOf(fc.constantFrom('match', 'match_urlpattern', 'last_event_id'), 3)
const oldSelectors = parametersOf(fc.constantFrom('topic', 'lastEventID'), 3)
/** Requests that each endpoint may well accept, and any mixture. */
const targets = fc.oneof(
  target(
    'POST',
    hubPath,
    none,
    updates.map((rest) => `topic=a&data=x&${rest}`)
  ),
  target(
    'POST',
    '/publish',
    often(none, updates),
    fc.oneof(
      body,
      updates.map((rest) => `topic=a&data=x&${rest}`)
    )
  ),
  target(
    'GET',
    hubPath,
    selectors.map((rest) => `match=a&${rest}`)
  ),
  target(
    'GET',
    hubPath,
    oldSelectors.map((rest) => `topic=a&${rest}`)
  ),
  target(
    'QUERY',
    hubPath,
    often(none, selectors),
    selectors.map((rest) => `match=a&${rest}`)
  ),
  target('GET', '/subscribe', parametersOf(fc.constantFrom('topic', 'last', 'lastEventId', 'envelope'), 3)),
  target('GET', `${hubPath}/subscriptions`, parameters),
  fc.record<Target>({ method: fc.constant('GET'), path, query: often(none, parameters), body: none }),
  fc.record<Target>({ method, path, query: parameters, body })
)

/** What cannot stand in a header is refused before it is read; one in five is sent all the same. */
const headerText = fc.tuple(text, often(fc.constant(true), fc.constant(false))).map(([value, isClean]) => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters it exists to find
  return isClean ? value.replace(/[\0-\x1f\x7f]/g, ' ') : value
})
const absent = fc.constant(undefined)
const origins = fc.constantFrom('null', '*', 'https://app.example.com', 'https://evil.example', 'http://127.0.0.1')
const types = fc.constantFrom(
  ...['application/x-www-form-urlencoded', 'application/x-www-form-urlencoded; charset=utf-8', 'application/x-ndjson'],
  ...['multipart/form-data', 'text/plain', 'application/json', '/', ';']
)
const accepts = fc.constantFrom('text/event-stream', 'application/json', '*/*;q=0', 'text/html', ',;,', 'text/*;q=0.0')

const damage: fc.Arbitrary<Damage> = fc.record({
  isOdd: often(fc.constant(false), fc.constant(true)),
  token: fc.nat(),
  at: fc.nat(),
  kind: often(fc.constant('none'), fc.constantFrom('cut', 'change', 'repeat'))
})
const carrier = fc.constantFrom(
  ...['Authorization: Bearer ', 'Authorization: Bearer ', 'Authorization: bearer '],
  ...['Cookie: mercureAuthorization=', 'Cookie: a; =; __Secure-mercure_access_token=']
)

export interface HostileRequest {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly sources: readonly (readonly [string, Damage])[]
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Buffer
}

const envelope = fc.record({
  sources: often(fc.tuple(fc.tuple(carrier, damage)), fc.array(fc.tuple(carrier, damage), { maxLength: 3 })),
  headers: fc.record({
    'Content-Type': often(fc.constant('application/x-www-form-urlencoded'), fc.oneof(types, headerText)),
    'Last-Event-ID': often(absent, fc.oneof(usual, headerText)),
    Origin: often(fc.oneof(absent, origins), headerText),
    Accept: often(absent, fc.oneof(accepts, headerText)),
    Referer: often(absent, headerText),
    'If-None-Match': often(absent, headerText),
    Authorization: often(absent, often(absent, headerText)),
    Cookie: often(absent, headerText)
  })
})

export const hostileRequest: fc.Arbitrary<HostileRequest> = fc
  .tuple(targets, envelope)
  .map(([target, envelope]) => ({ ...target, ...envelope, body: Buffer.from(target.body) }))

/** The bytes of a request. What frames it comes first and is right, so that whatever follows, an answer is due. */
export function bytesOf(
  { method, path, query, sources, headers, body }: HostileRequest,
  tokens: HostileTokens
): Buffer {
  const head = [
    `${method} ${path}?${query} HTTP/1.1`,
    'Host: localhost',
    'Connection: close',
    `Content-Length: ${body.length}`,
    ...sources.map(([carrier, damage]) => carrier + damaged(tokens, damage)),
    ...Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]))
  ]
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body])
}

/** An update, and by which door it is published. */
export interface HostileUpdate {
  readonly door: Dialect | 'form' | 'query' | 'batch'
  readonly topics: readonly string[]
  readonly data: string
  readonly type?: string
  readonly id?: string
  readonly retry?: number
}

// Mostly such as can be published, since what is refused shows little here.
const carried = fc.oneof(
  text,
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom('data: x', 'id: x', ': x', 'event: x', 'a: b', '  x', '\u2028', '\u0085id: x', '\ufeffdata: x')
)
const manyLines = fc.array(fc.oneof(carried, fc.constantFrom('\n', '\r', '\r\n', '\n\n', '\0')), { maxLength: 8 })

export const hostileUpdate: fc.Arbitrary<HostileUpdate> = fc.record(
  {
    door: fc.constantFrom(...dialects, 'form', 'query', 'batch'),
    topics: fc.array(fc.oneof(fc.constant('https://example.com/a'), carried), { minLength: 1, maxLength: 2 }),
    data: manyLines.map((parts) => parts.join('').toWellFormed()),
    type: carried.map((text) => text.toWellFormed()),
    id: carried.map((text) => text.toWellFormed()),
    // Mercure takes a 0 for none.
    retry: fc.integer({ min: 1, max: 2 ** 31 - 1 })
  },
  { requiredKeys: ['door', 'topics', 'data'] }
)
