// The real server with keys, as a child process or in the test process, and the requests of a Mercure client in both dialects.
import { randomUUID } from 'node:crypto'
import { SignJWT } from 'jose'
import { afterAll, beforeAll } from 'vitest'
import type { LocalServer } from '../servers/in-process.ts'
import { type ServerProcess, startServer } from '../servers/server.ts'
import { type Answer, ask } from './http.ts'
import { listen, type SseClient } from './sse-client.ts'

export type Dialect = '1.0' | '0.x'
export const dialects: readonly Dialect[] = ['1.0', '0.x']
export const hubPath = '/.well-known/mercure'
export const audience = 'https://hub.example.com/.well-known/mercure'

/** Two keys, so that a token for one role is never valid for the other. */
export const keys = {
  publish: 'a-secret-for-publishers-that-is-long-enough',
  subscribe: 'a-secret-for-subscribers-that-is-long-enough'
}

export interface Rights {
  readonly publish?: readonly unknown[]
  readonly subscribe?: readonly unknown[]
  readonly payload?: unknown
  /** Seconds from now. */
  readonly expiresIn?: number
  /** Claims to add, or to omit if undefined. */
  readonly claims?: Record<string, unknown>
  /** The header; `alg` and `typ` have their defaults. */
  readonly header?: Record<string, unknown>
  readonly key?: string
}

/** A token made independently of the product: 1.0 with `authorization_details`, 0.x with the claim `mercure`. */
export async function token(dialect: Dialect, rights: Rights): Promise<string> {
  const { publish, subscribe, payload, expiresIn = 3_600, claims = {}, header = {} } = rights
  const key = rights.key ?? (publish ? keys.publish : keys.subscribe)
  const exp = Math.floor(Date.now() / 1000) + expiresIn
  const detail = (action: string, topics: readonly unknown[]) => ({
    type: 'https://mercure.rocks/authorization-detail',
    actions: [action],
    topics: topics.map((topic) => (typeof topic === 'string' ? { match: topic } : topic)),
    ...(action === 'subscribe' && payload !== undefined && { payload })
  })
  const ours =
    dialect === '0.x'
      ? {
          mercure: {
            ...(publish && { publish }),
            ...(subscribe && { subscribe }),
            ...(payload !== undefined && { payload })
          }
        }
      : {
          iss: 'https://issuer.example.com',
          aud: audience,
          exp,
          authorization_details: [
            ...(publish?.length ? [detail('publish', publish)] : []),
            ...(subscribe?.length ? [detail('subscribe', subscribe)] : [])
          ]
        }
  const all = { ...ours, ...(rights.expiresIn !== undefined && { exp }), ...claims }
  const protectedHeader = { alg: 'HS256', typ: dialect === '1.0' ? 'at+jwt' : 'JWT', ...header }
  return new SignJWT(all).setProtectedHeader(protectedHeader).sign(new TextEncoder().encode(key))
}

export const bearer = (token: string) => ({ Authorization: `Bearer ${token}` })

/** Encodes fields as a query or form; a list repeats the name. */
export function form(fields: Record<string, string | readonly string[]>): string {
  const parameters = new URLSearchParams()
  for (const [name, values] of Object.entries(fields)) {
    for (const value of typeof values === 'string' ? [values] : values) parameters.append(name, value)
  }
  return parameters.toString()
}

/** A server for all tests of a suite. `fresh` makes topics unique, so that tests do not affect each other. */
export class MercureServer {
  #server: ServerProcess | undefined
  #local: LocalServer | undefined

  get url(): string {
    return (this.#local ?? this.process).url
  }

  get hub(): string {
    return this.url + hubPath
  }

  get process(): ServerProcess {
    if (!this.#server) throw new Error('the server has not started')
    return this.#server
  }

  async start(args: string[]): Promise<void> {
    this.#server = await startServer({ args })
  }

  /** Starts it in the test process, which loads the server only for the suites that do this. */
  async startInProcess(args: string[]): Promise<void> {
    const { startInProcess } = await import('../servers/in-process.ts')
    this.#local = await startInProcess({ args })
  }

  async stop(): Promise<void> {
    await Promise.all([this.#server?.kill('SIGKILL'), this.#local?.stop()])
  }

  /** Publishes a form; by default with a token that may publish to all topics. */
  async publish(
    dialect: Dialect,
    fields: Record<string, string | readonly string[]>,
    headers?: Record<string, string>
  ): Promise<Answer> {
    return this.post(form(fields), headers ?? bearer(await token(dialect, { publish: ['*'] })))
  }

  /** Posts a body as a form. */
  post(body: string | Buffer, headers: Record<string, string> = {}): Promise<Answer> {
    return ask(this.hub, {
      method: 'POST',
      body,
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers }
    })
  }

  /** Opens a stream of exact topics; by default with a token that may not read private updates. */
  async follow(
    dialect: Dialect,
    topics: string | readonly string[],
    { headers, query = '' }: { headers?: Record<string, string>; query?: string } = {}
  ): Promise<SseClient> {
    const selectors = form({ [dialect === '1.0' ? 'match' : 'topic']: topics })
    return listen(`${this.hub}?${selectors}${query}`, headers ?? bearer(await token(dialect, { subscribe: [] })))
  }

  /** Requests a stream without opening an event stream; returns the response. */
  refused(query: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
    return ask(`${this.hub}?${query}`, { method, headers })
  }
}

/** Both keys, and the audience of `token`. */
export const keyed = ['--publisher-key', keys.publish, '--subscriber-key', keys.subscribe, '--audience', audience]

/** Starts a server before the suite and stops it afterwards. */
export function serverWith(...args: string[]): MercureServer {
  const server = new MercureServer()
  beforeAll(() => server.start([...keyed, ...args]))
  afterAll(() => server.stop())
  return server
}

/** A unique topic. */
export const fresh = (path = 'topic') => `https://example.com/${randomUUID()}/${path}`
