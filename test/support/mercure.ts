// The real server with keys, as its own process, and what a client of Mercure needs to speak to it in either dialect.
import { randomUUID } from 'node:crypto'
import { SignJWT } from 'jose'
import { afterAll, beforeAll } from 'vitest'
import { type Answer, ask } from './http.js'
import { type ServerProcess, startServer } from './server.js'
import { listen, type SseClient } from './sse-client.js'

export type Dialect = '1.0' | '0.x'
export const dialects: readonly Dialect[] = ['1.0', '0.x']
export const hubPath = '/.well-known/mercure'
export const audience = 'https://hub.example.com/.well-known/mercure'

/** Two keys, so that a token for one role never does for the other. */
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
  /** Claims to add, or with undefined to leave out. */
  readonly claims?: Record<string, unknown>
  /** The header; `alg` and `typ` have their defaults. */
  readonly header?: Record<string, unknown>
  readonly key?: string
}

/** A token of its own making, not of the product's: 1.0 with `authorization_details`, 0.x with the claim `mercure`. */
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

/** Texts as a query or a form; a list gives the name several times. */
export function form(fields: Record<string, string | readonly string[]>): string {
  const parameters = new URLSearchParams()
  for (const [name, values] of Object.entries(fields)) {
    for (const value of typeof values === 'string' ? [values] : values) parameters.append(name, value)
  }
  return parameters.toString()
}

/** A server for all tests of a suite. Topics are made unique by `fresh`, so that tests do not see each other's. */
export class MercureServer {
  #server: ServerProcess | undefined

  get url(): string {
    return this.process.url
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

  async stop(): Promise<void> {
    await this.#server?.kill('SIGKILL')
  }

  /** Publishes a form with a token that may publish anything, unless told otherwise. */
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

  /** Opens a stream of exact topics, with a token that may read nothing private, unless told otherwise. */
  async follow(
    dialect: Dialect,
    topics: string | readonly string[],
    { headers, query = '' }: { headers?: Record<string, string>; query?: string } = {}
  ): Promise<SseClient> {
    const selectors = form({ [dialect === '1.0' ? 'match' : 'topic']: topics })
    return listen(`${this.hub}?${selectors}${query}`, headers ?? bearer(await token(dialect, { subscribe: [] })))
  }

  /** A request for a stream that is expected to be refused, as its answer. */
  refused(query: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
    return ask(`${this.hub}?${query}`, { method, headers })
  }
}

/** Both keys, and the audience that `token` names. */
export const keyed = ['--publisher-key', keys.publish, '--subscriber-key', keys.subscribe, '--audience', audience]

/** Starts a server before a suite and stops it after. */
export function serverWith(...args: string[]): MercureServer {
  const server = new MercureServer()
  beforeAll(() => server.start([...keyed, ...args]))
  afterAll(() => server.stop())
  return server
}

/** A topic that no other test has. */
export const fresh = (path = 'topic') => `https://example.com/${randomUUID()}/${path}`
