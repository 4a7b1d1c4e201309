// Where a command sends its requests, and with what token; and one request to there. It knows no endpoint.
import { Agent, type ClientRequest, type IncomingMessage, request as overHttp } from 'node:http'
import { request as overHttps, Agent as SecureAgent } from 'node:https'
import { type Command, Option as Flag, InvalidArgumentError } from 'commander'
import { version } from '../version.ts'
import { Failure } from './failure.ts'

/** A server as its clients reach it. */
export interface Target {
  /** Ends with a slash, so that endpoints are below it. */
  readonly base: URL
  readonly token?: string
  /** Path of a Unix socket to connect to, whatever the address says. */
  readonly socket?: string
}

export interface TargetFlags {
  readonly url: URL
  readonly token?: string
  readonly socket?: string
}

const usual = 'http://127.0.0.1:5000'

/** Gives a command the flags that say where its server is. */
export function withTargetFlags(command: Command): Command {
  return withTokenFlags(
    command.addOption(
      new Flag('--url <url>', 'address of the server')
        .env('TIDINGS_URL')
        .argParser(readUrl)
        .default(new URL(usual), usual)
    )
  )
}

/** The same for a command whose server is its argument. */
export function withTokenFlags(command: Command): Command {
  return command
    .addOption(new Flag('--token <token>', 'token for the server; best given as the variable').env('TIDINGS_TOKEN'))
    .option('--socket <path>', 'Unix socket to connect to, instead of what the address says')
}

/** @throws InvalidArgumentError that says what an address looks like. */
export function readUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new InvalidArgumentError('An address begins with http:// or https://, such as https://hub.example.com.')
  }
  if (!url.pathname.endsWith('/')) url.pathname += '/'
  url.search = url.hash = ''
  return url
}

/** @throws Failure where the token could be none. */
export function targetOf({ url, token, socket }: TargetFlags): Target {
  const bearer = token?.trim()
  if (bearer && !/^[\x21-\x7e]+$/.test(bearer)) throw new Failure('the token holds characters that no token has')
  return { base: url, ...(bearer && { token: bearer }), ...(socket && { socket }) }
}

export interface Ask {
  readonly method?: string
  /** Below the base, such as `publish?topic=a`. */
  readonly path: string
  readonly headers?: Record<string, string>
  /** `false`, the default, is a connection of its own. */
  readonly agent?: Agent | false
}

/** A request that is yet to be ended. */
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

/** Keeps so many connections to a target for its next requests. */
export function agentFor({ base }: Target, maxSockets: number): Agent {
  return new (base.protocol === 'https:' ? SecureAgent : Agent)({ keepAlive: true, maxSockets })
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
}

/** How long a server may take to answer what is no stream, in milliseconds. */
const timeoutMs = 60_000
/** More of an answer than this is not looked at. */
const maxText = 2 ** 22

/** Sends a request and reads its whole answer. Rejects where there is none, or only a part. */
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

/** The whole body as text; of one without end, its beginning. */
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
