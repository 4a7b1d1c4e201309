// Ways to send a token to a hub, valid and invalid, for publishing and for subscribing.
import { createHmac } from 'node:crypto'
import { onTestFinished } from 'vitest'
import { type Answer, ask } from '../http/http.ts'
import { audience, type Dialect, form, keyed, keys, MercureServer, type Rights, token } from '../http/mercure.ts'
import { listen } from '../http/sse-client.ts'

export type Role = 'publish' | 'subscribe'
export const roles: readonly Role[] = ['publish', 'subscribe']
export const cookieNames = { '1.0': '__Secure-mercure_access_token', '0.x': 'mercureAuthorization' }
/** An origin that may publish with a cookie, if the server allows it. */
export const site = 'https://app.example.com'

/** The headers and the query that carry a token. */
export interface Credentials {
  readonly headers?: Record<string, string | string[]>
  readonly query?: string
}

/** Builds the credentials of a request, by token source. */
export const credentialsIn = {
  header: (_: Dialect, token: string): Credentials => ({ headers: { Authorization: `Bearer ${token}` } }),
  query: (_: Dialect, token: string): Credentials => ({ query: form({ authorization: token }) }),
  cookie: (dialect: Dialect, token: string): Credentials => ({
    headers: { Cookie: `a=b; ${cookieNames[dialect]}=${token}; c=d`, Origin: site }
  })
}

/** Publishes or subscribes with the credentials, and returns the response head. */
export async function requestWith(
  { hub }: MercureServer,
  role: Role,
  dialect: Dialect,
  { headers = {}, query = '' }: Credentials,
  topic = 'https://example.com/topic'
): Promise<Pick<Answer, 'status' | 'headers'>> {
  if (role === 'subscribe') {
    const { status, headers: responseHeaders } = await listen(`${hub}?${query}&${selector(dialect, topic)}`, headers)
    return { status, headers: responseHeaders }
  }
  const type = { 'Content-Type': 'application/x-www-form-urlencoded' }
  return ask(`${hub}?${query}`, { method: 'POST', body: form({ topic, data: 'x' }), headers: { ...type, ...headers } })
}

/** The response status only. */
export async function statusOf(...args: Parameters<typeof requestWith>): Promise<number> {
  return (await requestWith(...args)).status
}

const selector = (dialect: Dialect, topic: string) => form({ [dialect === '1.0' ? 'match' : 'topic']: topic })

/** A token with all permissions of its role. */
export const validToken = (role: Role, dialect: Dialect, more: Partial<Rights> = {}) =>
  token(dialect, { [role]: ['*'], key: keys[role], ...more })

/** Invalid tokens, by their defect. */
export const forgedTokens: Record<string, (role: Role, dialect: Dialect) => Promise<string>> = {
  'with the algorithm none': async (role, dialect) => {
    const [, claims] = (await validToken(role, dialect)).split('.')
    return `${part({ alg: 'none', typ: typeOf(dialect) })}.${claims}.${'a'.repeat(43)}`
  },
  'with another algorithm': (role, dialect) => validToken(role, dialect, { header: { alg: 'HS512' } }),
  'signed with an unknown key': (role, dialect) =>
    validToken(role, dialect, { key: 'a-secret-that-nobody-else-has-ever-heard-of' }),
  "signed with the other role's key": (role, dialect) =>
    validToken(role, dialect, { key: keys[role === 'publish' ? 'subscribe' : 'publish'] }),
  'with the signature of other claims': async (role, dialect) => {
    const [header, claims] = (await validToken(role, dialect)).split('.')
    const signature = createHmac('sha256', keys[role]).update('something else').digest('base64url')
    return `${header}.${claims}.${signature}`
  },
  'with claims changed after signing': async (role, dialect) => {
    const [header, , signature] = (await validToken(role, dialect)).split('.')
    return `${header}.${part({ mercure: { publish: ['*'] }, aud: audience, exp: 4e9 })}.${signature}`
  },
  'that has expired': (role, dialect) => validToken(role, dialect, { expiresIn: -1 }),
  'that is truncated': async (role, dialect) => (await validToken(role, dialect)).slice(0, -2),
  'that is too short': async () => 'a.b.c'
}

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const typeOf = (dialect: Dialect) => (dialect === '1.0' ? 'at+jwt' : 'JWT')

/** Starts a server in the test process that stops when the test ends. */
export async function startServer(...args: string[]): Promise<MercureServer> {
  const server = new MercureServer()
  await server.startInProcess(args)
  onTestFinished(() => server.stop())
  return server
}

/** The same with the default keys, in a process of its own, which can get a signal. */
export async function startKeyedProcess(): Promise<MercureServer> {
  const server = new MercureServer()
  await server.start(keyed)
  onTestFinished(() => server.stop())
  return server
}

/** Starts a server with the default keys. */
export const startKeyedServer = (...args: string[]) => startServer(...keyed, ...args)
