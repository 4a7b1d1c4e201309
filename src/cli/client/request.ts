// Sends one request to the server of a command.
import { Agent, type ClientRequest, type IncomingMessage, request as overHttp } from 'node:http'
import { request as overHttps, Agent as SecureAgent } from 'node:https'
import { version } from '../version.ts'
import { Failure, reasonOf } from './failure.ts'

/** The server of a command. */
export interface Target {
  /** Ends with a slash, so that the paths of endpoints resolve below it. */
  readonly base: URL
  readonly token?: string
  /** Path of a Unix socket to connect to instead of the host in the URL. */
  readonly socket?: string
}

export interface Ask {
  readonly method?: string
  /** Below the base, such as `publish?topic=a`. */
  readonly path: string
  readonly headers?: Record<string, string>
  /** `false`, the default, opens a connection for this request alone. */
  readonly agent?: Agent | false
}

/** Opens a request. The caller has to end it. */
export function open(
  { base, token, socket }: Target,
  { method = 'GET', path, headers, agent = false }: Ask
): ClientRequest {
  const url = new URL(path, base)
  return (url.protocol === 'https:' ? overHttps : overHttp)(url, {
    method,
    agent,
    headers: { 'User-Agent': `tidings/${version}`, ...(token && { Authorization: `Bearer ${token}` }), ...headers },
    ...(socket && { socketPath: socket })
  })
}

/** An agent that keeps so many connections open for further requests. */
export function agentFor({ base }: Target, maxSockets: number): Agent {
  return new (base.protocol === 'https:' ? SecureAgent : Agent)({ keepAlive: true, maxSockets })
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
}

/** How long a server may take to answer a request that opens no stream, in milliseconds. */
const timeoutMs = 60_000
/** Bytes of an answer that are read. */
const maxText = 2 ** 22

/** Sends a request and reads the answer. Rejects if there is no complete answer. */
export function ask(target: Target, request: Ask, body?: string | Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = open(target, request)
    sent.setTimeout(timeoutMs, () => void sent.destroy(new Failure(`no answer within ${timeoutMs / 1_000} s`)))
    sent.on('error', reject)
    sent.on('response', (response) => {
      readText(response).then(
        (text) => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
        reject
      )
    })
    sent.end(body)
  })
}

/** The same, for a command that sends one request. @throws Failure if the server cannot be reached */
export async function reachable(target: Target, request: Ask, body?: string | Buffer): Promise<Answer> {
  try {
    return await ask(target, request, body)
  } catch (error) {
    if (error instanceof Failure) throw error
    throw new Failure(`${target.base.href} cannot be reached: ${reasonOf(error as Error)}`)
  }
}

/** The body as text, or only its beginning if it is very large. */
export async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > maxText) break
  }
  return Buffer.concat(chunks).toString()
}
