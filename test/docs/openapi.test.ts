// docs/openapi.yaml is valid, and describes the running server: its routes, parameters, responses and error codes.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { Validator } from '@seriousme/openapi-schema-validator'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { type ErrorCode, TidingsError } from '../../dist/errors.js'
import { hubPath, metadataPath } from '../../dist/http/access/options.js'
import { listPath } from '../../dist/http/mercure/list.js'
import { simplePaths } from '../../dist/http/simple/routes.js'
import { modern, secret } from '../support/auth/tokens.ts'
import { document, faultsOf, type Operation, operations, type Received } from '../support/docs/openapi.ts'
import { type LocalServer, startInProcess } from '../support/servers/in-process.ts'

const options = ['--allow-delete', '--idempotent', '1h']
const keys = [
  '--publisher-key',
  secret,
  '--subscriber-key',
  secret,
  '--audience',
  'https://hub.example/.well-known/mercure'
]
let open: LocalServer
let keyed: LocalServer
const nameOf = ({ method, path }: Operation) => `${method} ${path}`
const json = { Accept: 'application/json' }
const operator = async (jti = 'operator') =>
  modern({
    jti,
    authorization_details: [
      { type: 'tidings:operate' },
      { type: 'https://mercure.rocks/authorization-detail', actions: ['subscribe'], topics: [{ match: '*' }] }
    ]
  })

beforeAll(async () => {
  open = await startInProcess({ args: options })
  keyed = await startInProcess({ args: ['--subscriptions', ...keys] })
})
afterAll(async () => {
  await Promise.all([open.stop(), keyed.stop()])
})

interface Sent {
  readonly query?: string
  readonly server?: Pick<LocalServer, 'url'>
  readonly headers?: Record<string, string>
  readonly body?: string
}

/** Sends a request on a connection of its own. A stream is closed when it begins. */
function send({ method }: { method: string }, path: string, { query = '', server = open, ...sent }: Sent = {}) {
  return new Promise<Received>((resolve, reject) => {
    const url = `${server.url}${path}${query && `?${query}`}`
    const request = httpRequest(url, { method, headers: sent.headers ?? {}, agent: false }, (response) => {
      const headers = new Headers(Object.entries(response.headers).map(([name, value]) => [name, String(value)]))
      const status = response.statusCode ?? 0
      if (headers.get('content-type') === 'text/event-stream') {
        request.destroy()
        resolve({ status, headers, body: undefined })
      } else text(response).then((body) => resolve({ status, headers, body }), reject)
    })
    request.on('error', reject)
    request.end(sent.body)
  })
}

const bearer = (token: string | undefined) => (token === undefined ? {} : { Authorization: `Bearer ${token}` })

/** Opens a stream until the end of the test, and returns its first bytes. */
async function follow({ url }: LocalServer, path: string, token?: string): Promise<string> {
  const request = httpRequest(url + path, { headers: bearer(token), agent: false }).end()
  onTestFinished(() => void request.destroy())
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  response.on('error', () => {})
  const [first] = (await once(response, 'data')) as [Buffer]
  return first.toString()
}

async function controlPath(): Promise<string> {
  const [, control] = /"control":"([^"]+)"/.exec(await follow(open, '/subscribe?topic=orders/17&control=1')) ?? []
  return `/${control}`
}

/** The id of the only stream of a topic. */
async function streamId(server: LocalServer, topic: string, token?: string): Promise<string> {
  await follow(server, `/subscribe?topic=${topic}&control=1`, token)
  const { body } = await get(server, `/dashboard/api/streams?filter=${topic}`, token)
  return (JSON.parse(body ?? '') as { rows: { id: string }[] }).rows[0]?.id ?? ''
}

const get = (server: LocalServer, path: string, token?: string) => {
  return send({ method: 'GET' }, path, { server, headers: bearer(token) })
}

const publish = (query = 'topic=orders/17', body = 'x') =>
  send({ method: 'POST' }, '/publish', { query, body, headers: { 'Content-Type': 'text/plain' } })

it('is valid OpenAPI', async () => {
  const { valid, errors } = await new Validator().validate(structuredClone(document) as never)
  expect(errors ?? []).toEqual([])
  expect(valid).toBe(true)
})

describe('the routes', () => {
  const paths = Object.keys(document.paths)
  const sources = (name: string) => readFileSync(`src/http/${name}/routes.ts`, 'utf8')

  it.each(paths)('%s has the methods of the router', async (path) => {
    const real = path.startsWith('/control/') ? await controlPath() : filled(path)
    const { headers } = await send({ method: 'OPTIONS' }, real)
    const documented = operations.filter((one) => one.path === path).map(({ method }) => method)
    expect((headers.get('allow') ?? '').split(', ').sort()).toEqual(documented.sort())
  })

  it('include every path of the router', () => {
    const ofDashboard = [...sources('dashboard').matchAll(/this\.#json\(\s*'(\w+)'/g)].map(([, name]) => name)
    expect(ofDashboard.length).toBeGreaterThan(6)
    expect(paths).toEqual(
      expect.arrayContaining([
        ...simplePaths,
        ...['/healthz', '/readyz', '/metrics', '/dashboard', '/dashboard/', '/dashboard/updates'],
        ...ofDashboard.map((name) => `/dashboard/api/${name}`),
        ...[hubPath, listPath, metadataPath]
      ])
    )
  })

  /** A prefix of a path that is not in the file has no route. */
  it.each(['/nothing', '/control', '/dashboard/api', '/dashboard/api/nothing'])('%s is none', async (path) => {
    expect((await get(open, path)).status).toBe(404)
  })
})

describe('the query parameters', () => {
  const withParameters = operations.filter(({ method }) => !['HEAD', 'PATCH', 'QUERY'].includes(method))
  const queryOf = ({ parameters }: Operation) => parameters.filter((one) => one.in === 'query')
  const pair = ({ name, example = '' }: { name: string; example?: string | number }) => [name, String(example)]

  it.each(withParameters.map((one) => [nameOf(one), one] as const))('%s', async (_, operation) => {
    const path = operation.path.startsWith('/control/') ? await controlPath() : filled(operation.path)
    const isRefused = async (query: string) => {
      const { status, body } = await send(operation, path, { query, headers: json })
      return status === 400 && /parameter_unknown/.test(body ?? '')
    }
    const required = queryOf(operation).filter((one) => one.required)
    for (const parameter of queryOf(operation)) {
      const query = new URLSearchParams([...required.filter((one) => one !== parameter), parameter].map(pair))
      expect(await isRefused(query.toString()), parameter.name).toBe(false)
    }
    const unknown = new URLSearchParams([...required.map(pair), ['surely-unknown', '1']])
    expect(await isRefused(unknown.toString())).toBe(!operation.isTolerant)
  })
})

/** A path with the examples of its parameters. */
function filled(path: string): string {
  const parameters = operations.find((one) => one.path === path)?.parameters ?? []
  return path.replaceAll(/\{(\w+)\}/g, (_, name) =>
    encodeURIComponent(String(parameters.find((one) => one.name === name && one.in === 'path')?.example ?? ''))
  )
}

/** Requests of each operation, and the statuses that they get. `at` is the path of the request. */
interface Scenario extends Sent {
  readonly at?: () => Promise<string> | string
  readonly status: number
  readonly before?: () => Promise<unknown>
  readonly token?: () => Promise<string>
}

const form = { 'Content-Type': 'application/x-www-form-urlencoded' }
const jsonBody = (value: unknown) => ({
  body: JSON.stringify(value),
  headers: { ...json, 'Content-Type': 'application/json' }
})
const withToken = (jti?: string) => ({ server: keyedServer, token: () => operator(jti) })
/** Known only after `beforeAll`. */
const keyedServer = {
  get url() {
    return keyed.url
  }
}

const book = encodeURIComponent('https://example.com/books/1')
const scenarios: Readonly<Record<string, readonly Scenario[]>> = {
  'GET /': [{ status: 200 }],
  'GET /subscribe': [
    { status: 200, query: 'topic=orders/17&last_event_id=earliest' },
    { status: 204, query: 'topic=never&empty=skip&last=1' },
    { status: 400, query: 'last=much' },
    { status: 400, query: 'last=much', headers: json },
    { status: 401, server: keyedServer, headers: json, token: async () => 'none' },
    { status: 410, query: 'last_event_id=lost&gap=close' }
  ],
  'PATCH /control/{control}': [
    { status: 202, at: controlPath, ...jsonBody({ add: ['orders/18'] }) },
    { status: 400, at: controlPath, ...jsonBody({ ad: ['orders/18'] }) },
    { status: 404, at: async () => (await controlPath()).replace(/.{8}$/, 'AAAAAAAA'), ...jsonBody({ add: ['a'] }) },
    { status: 415, at: controlPath, body: '{}', headers: json }
  ],
  'GET /updates': [
    { status: 200, query: 'topic=orders/17&after=earliest&limit=1', before: () => publish() },
    { status: 200, query: 'topic=orders/17&after=lost', before: () => publish() },
    { status: 304, query: 'topic=orders/17&after=earliest&limit=1', headers: { 'If-None-Match': '*' } },
    { status: 400, query: 'wait=long', headers: json }
  ],
  'DELETE /updates': [
    { status: 200, query: 'topic=orders/40', before: () => publish('topic=orders/40') },
    { status: 200, query: 'topic=orders/41', headers: json, before: () => publish('topic=orders/41') },
    { status: 400, headers: json },
    { status: 401, query: 'topic=a', server: keyedServer, headers: json },
    { status: 403, query: 'topic=a', ...withToken(), headers: json }
  ],
  'DELETE /updates/{id}': [
    { status: 200, at: () => '/updates/one', before: () => publish('id=one'), headers: json },
    { status: 404, at: () => '/updates/none', headers: json }
  ],
  'GET /publish': [{ status: 200 }],
  'POST /publish': [
    { status: 200, query: 'topic=orders/17', body: 'paid' },
    { status: 200, body: 'topic=orders/17&data=paid&end', headers: { ...form, ...json } },
    {
      status: 200,
      body: '{"topic":"a","data":{"b":1}}\n',
      headers: { ...json, 'Content-Type': 'application/x-ndjson' }
    },
    { status: 400, body: '{"topic":"a","dat":1}\n', headers: { ...json, 'Content-Type': 'application/x-ndjson' } },
    { status: 401, body: 'x', server: keyedServer, headers: json },
    { status: 403, query: 'topic=/.well-known/mercure/x', body: 'x', headers: json },
    { status: 413, body: 'x'.repeat(2 ** 20 + 1), headers: json },
    { status: 415, body: 'x', headers: { ...json, 'Content-Type': 'multipart/form-data' } },
    { status: 422, query: 'id=other', body: 'x', headers: json, before: () => publish('id=other', 'y') }
  ],
  'POST /revoke': [
    { status: 204, ...jsonBody({ subject: 'ann', until: Math.floor(Date.now() / 1_000) + 600 }) },
    { status: 400, ...jsonBody({}) },
    { status: 403, ...withToken('plain'), ...jsonBody({ jti: 'a' }), token: () => modern({ jti: 'plain' }) },
    { status: 415, body: '{}', headers: json }
  ],
  'GET /revocations': [{ status: 200 }],
  'DELETE /revocations': [
    { status: 204, query: 'subject=ann' },
    { status: 404, query: 'subject=bob', headers: json }
  ],
  'GET /debug': [{ status: 200 }, { status: 200, headers: json, before: () => follow(open, '/subscribe?control=1') }],
  'GET /healthz': [{ status: 200 }],
  'GET /readyz': [{ status: 200 }],
  'GET /metrics': [{ status: 200 }, { status: 401, server: keyedServer, headers: json }],
  'GET /dashboard': [{ status: hasDashboardPage() ? 200 : 404 }],
  'GET /dashboard/': [{ status: 308 }],
  'GET /dashboard/updates': [
    { status: 200, query: 'topic=overview' },
    { status: 400, query: 'topic=other', headers: json }
  ],
  'GET /dashboard/api/overview': [{ status: 200 }, { status: 401, server: keyedServer, headers: json }],
  'GET /dashboard/api/streams': [{ status: 200, before: () => follow(open, '/subscribe?topic=x&control=1') }],
  'GET /dashboard/api/streams/{id}': [
    { status: 200, at: async () => `/dashboard/api/streams/${await streamId(open, 'flights')}` },
    { status: 404, at: () => '/dashboard/api/streams/none', headers: json }
  ],
  'DELETE /dashboard/api/streams/{id}': [
    { status: 204, at: async () => `/dashboard/api/streams/${await streamId(open, 'ending')}` }
  ],
  'POST /dashboard/api/streams/{id}/revoke': [
    { status: 409, at: async () => `/dashboard/api/streams/${await streamId(open, 'keyless')}/revoke`, headers: json },
    {
      status: 200,
      at: async () => `/dashboard/api/streams/${await streamId(keyed, 'leaked', await operator('leaked'))}/revoke`,
      ...withToken()
    }
  ],
  'GET /dashboard/api/closed': [{ status: 200 }],
  'GET /dashboard/api/topics': [{ status: 200 }],
  'GET /dashboard/api/inspect': [
    { status: 200, query: 'topic=orders/17' },
    { status: 200, query: 'topic=orders/17&id=lost' },
    { status: 400, headers: json }
  ],
  'GET /dashboard/api/config': [{ status: 200 }],
  'GET /dashboard/api/health': [{ status: 200 }],
  'GET /.well-known/mercure': [
    { status: 200, query: `topic=${book}` },
    { status: 200, query: `match=${book}&last_event_id=earliest` },
    { status: 400 },
    { status: 401, query: `match=${book}`, server: keyedServer },
    { status: 406, query: `match=${book}`, headers: json }
  ],
  'QUERY /.well-known/mercure': [{ status: 200, body: `match=${book}`, headers: form }],
  'POST /.well-known/mercure': [
    { status: 200, body: `topic=${book}&data=new`, headers: form },
    { status: 400, body: 'data=new', headers: form },
    { status: 401, body: `topic=${book}`, headers: form, server: keyedServer }
  ],
  [`GET ${listPath}`]: [
    { status: 200, ...withToken(), before: () => subscribeToBook() },
    { status: 401, server: keyedServer }
  ],
  [`GET ${listPath}/{first}`]: [
    { status: 200, ...withToken(), at: () => `${listPath}/${book}`, before: () => subscribeToBook('topic') }
  ],
  [`GET ${listPath}/{first}/{second}`]: [{ status: 200, at: () => `${listPath}/exact/${book}`, ...withToken() }],
  [`GET ${listPath}/{match_type}/{match}/{subscriber}`]: [
    {
      status: 200,
      ...withToken(),
      before: () => subscribeToBook(),
      at: async () => (await subscriptionsOf(await operator()))[0]?.id ?? ''
    },
    { status: 404, ...withToken(), at: () => `${listPath}/exact/${book}/nobody` }
  ],
  [`GET ${metadataPath}`]: [
    { status: 200, server: keyedServer },
    { status: 404, headers: json }
  ]
}

async function subscribeToBook(name = 'match'): Promise<void> {
  await follow(keyed, `${hubPath}?${name}=${book}`, await operator('reader'))
  const path = name === 'topic' ? `${listPath}/${book}` : listPath
  await expect.poll(async () => (await subscriptionsOf(await operator(), path)).length).toBeGreaterThan(0)
}

async function subscriptionsOf(token: string, path: string = listPath): Promise<{ id: string }[]> {
  const { body } = await get(keyed, path, token)
  return (JSON.parse(body ?? '') as { subscriptions: { id: string }[] }).subscriptions
}

function hasDashboardPage(): boolean {
  try {
    return readFileSync('dist/pages/dashboard/dashboard.html').length > 0
  } catch {
    return false
  }
}

describe('the responses', () => {
  const real = operations.filter(({ method }) => method !== 'HEAD')

  it('are tested for each operation', () => {
    expect(Object.keys(scenarios).sort()).toEqual(real.map(nameOf).sort())
  })

  const cases = real.flatMap((operation) =>
    (scenarios[nameOf(operation)] ?? []).map((one) => [one.status, nameOf(operation), operation, one] as const)
  )
  it.each(cases)('%s of %s', async (status, _, operation, { at, before, token, ...sent }) => {
    await before?.()
    const path = (await at?.()) ?? filled(operation.path)
    const headers = { ...sent.headers, ...bearer(await token?.()) }
    const received = await send(operation, path, { ...sent, headers })
    expect([received.status, ...faultsOf(operation, received)]).toEqual([status])
    const head = operations.find((one) => one.path === operation.path && one.method === 'HEAD')
    if (operation.method === 'GET' && head) {
      const again: Received = await send(head, path, { ...sent, headers })
      // A page of history has no tag for HEAD, which reads no page.
      if (status !== 304) expect([again.status, ...faultsOf(head, again)]).toEqual([status])
    }
  })
})

describe('the error codes', () => {
  /** Errors that only a caller of the library gets. */
  const ofLibrary = ['until_invalid']
  const table = readFileSync('src/errors.ts', 'utf8').matchAll(/^ {2}(\w+): \[\d{3}, /gm)
  const codes = [...table].map(([, code]) => code as ErrorCode)
  const mentioned = ({ description }: { description: string }) =>
    [...description.matchAll(/`(\w+)`/g)].map(([, code]) => code as ErrorCode).filter((code) => codes.includes(code))

  it('are those of src/errors.ts', () => {
    expect(document.components.schemas.ErrorCode.enum).toEqual(codes)
  })

  it('have the status under which they are listed', () => {
    // The dialects of Mercure have statuses of their own.
    const answers = operations.filter(({ path }) => !path.startsWith(hubPath)).flatMap(({ answers }) => answers)
    const listed = answers
      .filter(({ status }) => status !== 'default')
      .flatMap((answer) => mentioned(answer).map((code) => `${answer.status} ${code}`))
    expect(
      listed.filter((text) => text !== `${new TidingsError(text.slice(4) as ErrorCode).status} ${text.slice(4)}`)
    ).toEqual([])
  })

  it('are all listed', () => {
    const listed = new Set(operations.flatMap(({ answers }) => answers).flatMap(mentioned))
    expect(codes.filter((code) => !listed.has(code))).toEqual(ofLibrary)
  })
})
