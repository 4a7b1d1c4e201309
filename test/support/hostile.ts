// Requests and updates that nobody means well with, made by fast-check.
import * as fc from 'fast-check'
import { type Dialect, dialects, hubPath, keys, type Rights, token } from './mercure.js'

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
const pair = fc.tuple(fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...names) }, part), fc.oneof(usual, part))
const parameters = fc.array(pair, { maxLength: 5 }).map((pairs) => pairs.map((pair) => pair.join('=')).join('&'))

const paths = ['/', '/subscribe', '/publish', '/debug', hubPath, `${hubPath}/subscriptions`]
const path = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...paths, hubPath, hubPath) },
  {
    weight: 3,
    arbitrary: fc.array(part, { maxLength: 4 }).map((parts) => [`${hubPath}/subscriptions`, ...parts].join('/'))
  },
  { weight: 1, arbitrary: part.map((rest) => `/${rest}`) }
)
const method = fc.constantFrom(
  'GET',
  'GET',
  'POST',
  'POST',
  'POST',
  'QUERY',
  'HEAD',
  'OPTIONS',
  'PUT',
  'DELETE',
  'PATCH'
)

const line = fc.oneof(
  fc
    .record({ topic: text, data: fc.jsonValue(), id: text, type: text }, { requiredKeys: ['data'] })
    .map((value) => JSON.stringify(value)),
  text
)
const body = fc
  .oneof<fc.Arbitrary<string | Uint8Array>[]>(
    parameters,
    parameters.map((rest) => `topic=a&data=x&${rest}`),
    fc.array(line, { maxLength: 3 }).map((lines) => lines.join('\n')),
    fc.uint8Array({ maxLength: 200 })
  )
  .map((bytes) => Buffer.from(bytes))

/** In a header a line end would be the sender's own; one in twenty is sent all the same. */
const headerText = fc
  .tuple(text, fc.integer({ min: 1, max: 20 }))
  .map(([value, chance]) => (chance === 1 ? value : value.replace(/[\r\n]/g, ' ')))
const origins = fc.constantFrom('null', '*', 'https://app.example.com', 'https://evil.example', 'http://127.0.0.1')
const types = fc.constantFrom(
  ...['application/x-www-form-urlencoded', 'application/x-www-form-urlencoded; charset=utf-8', 'application/x-ndjson'],
  ...['multipart/form-data', 'text/plain', 'application/json', '/', ';']
)
const accepts = fc.constantFrom('text/event-stream', 'application/json', '*/*;q=0', 'text/html', ',;,', 'text/*;q=0.0')

/** A token of those that were minted, as it is, or with something done to it. */
export interface Damage {
  readonly isOdd: boolean
  readonly token: number
  readonly at: number
  readonly kind: 'none' | 'cut' | 'change' | 'repeat'
}
const damage: fc.Arbitrary<Damage> = fc.record({
  isOdd: fc.boolean(),
  token: fc.nat(),
  at: fc.nat(),
  kind: fc.constantFrom('none', 'none', 'none', 'cut', 'change', 'repeat')
})
const carrier = fc.constantFrom('Authorization: Bearer ', 'Authorization: bearer ', 'Cookie: mercureAuthorization=')
const modernCookie = 'Cookie: a; =; __Secure-mercure_access_token='

export interface HostileRequest {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly carriers: readonly (readonly [string, Damage])[]
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

export const hostileRequest: fc.Arbitrary<HostileRequest> = fc.record({
  method,
  path,
  query: parameters,
  carriers: fc.array(fc.tuple(fc.oneof(carrier, fc.constant(modernCookie)), damage), { maxLength: 2 }),
  headers: fc.record(
    {
      'Last-Event-ID': fc.oneof(usual, headerText),
      Origin: fc.oneof(origins, headerText),
      Referer: headerText,
      'Content-Type': fc.oneof({ weight: 4, arbitrary: types }, headerText),
      Accept: fc.oneof(accepts, headerText),
      'If-None-Match': headerText,
      Authorization: headerText,
      Cookie: headerText
    },
    { requiredKeys: [] }
  ),
  body
})

const detailType = 'https://mercure.rocks/authorization-detail'
const everything: Rights = { publish: ['*'], subscribe: ['*'], payload: { user: 'x' } }
const oddValues = [null, 0, '', 'x', [], {}, [null], [1], [{}], ['{x', '*', '\n'], { match: '*' }, ['x'.repeat(5_000)]]
const oddClaims: Record<string, unknown>[] = [
  ...oddValues.flatMap((value) => [
    { mercure: value },
    { 'https://mercure.rocks/': value },
    { mercure: { publish: value, subscribe: value } },
    { authorization_details: value },
    { authorization_details: [{ type: detailType, actions: ['publish', 'subscribe'], topics: value }] },
    { authorization_details: [{ type: detailType, actions: value, topics: [{ match: '*' }], payload: value }] },
    { aud: value },
    { sub: value }
  ]),
  ...[0, -1, 1.5, 1e15, 1e300, '4e9', null].flatMap((time) => [{ exp: time }, { nbf: time }, { iat: time }])
]

export interface HostileTokens {
  /** Those that may do everything in their role, in either dialect. */
  readonly good: readonly string[]
  readonly odd: readonly string[]
}

export async function hostileTokens(): Promise<HostileTokens> {
  const ofAllKeys = (rights: Rights) =>
    dialects.flatMap((dialect) => Object.values(keys).map((key) => token(dialect, { ...rights, key })))
  const good = await Promise.all(ofAllKeys(everything))
  const odd = await Promise.all(oddClaims.flatMap((claims) => ofAllKeys({ ...everything, claims })))
  return { good, odd }
}

function damaged(tokens: HostileTokens, { isOdd, token, at, kind }: Damage): string {
  const all = isOdd ? tokens.odd : tokens.good
  const whole = all[token % all.length] as string
  const place = at % whole.length
  if (kind === 'cut') return whole.slice(0, place)
  if (kind === 'repeat') return whole.slice(0, place) + whole
  return kind === 'change' ? `${whole.slice(0, place)}${place % 2 ? '.' : 'A'}${whole.slice(place + 1)}` : whole
}

/** The bytes of a request. What frames it comes first and is right, so that whatever follows, an answer is due. */
export function bytesOf(
  { method, path, query, carriers, headers, body }: HostileRequest,
  tokens: HostileTokens
): Buffer {
  const head = [
    `${method} ${path}?${query} HTTP/1.1`,
    'Host: localhost',
    'Connection: close',
    `Content-Length: ${body.length}`,
    ...carriers.map(([carrier, damage]) => carrier + damaged(tokens, damage)),
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
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
    retry: fc.nat()
  },
  { requiredKeys: ['door', 'topics', 'data'] }
)
