// What ends a command: one sentence for people, from a refusal or from a network that fails. It knows no command.
import type { IncomingHttpHeaders } from 'node:http'

/** Ends a command with exit code 1; `message` is all that is said. */
export class Failure extends Error {
  override readonly name: string = 'Failure'
}

/** A server's refusal, in the server's own words. */
export class Refused extends Failure {
  override readonly name = 'Refused'
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

interface Answered {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

export function refusal({ status, headers, text }: Answered): Refused {
  const moved = headers.location === undefined ? '' : `; it says to go to ${headers.location}`
  return new Refused(status, `${sentenceOf(text)} (${status})${moved}`)
}

/** What a refusal says: in JSON, as text, or where a page is all there is, nothing. */
function sentenceOf(text: string): string {
  const said = messageIn(text) ?? text
  if (said.trim() === '' || /^\s*</.test(said)) return 'the server refused without a reason'
  return said.trim().replace(/\s+/g, ' ').slice(0, 500)
}

/** The sentence in a refusal as JSON. */
export function messageIn(text: string): string | undefined {
  try {
    const { error } = JSON.parse(text) as { error?: { message?: unknown } }
    return typeof error?.message === 'string' ? error.message : undefined
  } catch {
    return undefined
  }
}

/** Whether the same request may well succeed a little later. */
export function isTransient(status: number): boolean {
  return status >= 500 || status === 429 || status === 408
}

/** Milliseconds that a server asks to be left alone [RFC 9110, 10.2.3]; an hour at most. */
export function retryAfter({ 'retry-after': value = '' }: IncomingHttpHeaders, now = Date.now()): number {
  const wait = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - now
  return Number.isNaN(wait) ? 0 : Math.min(3_600_000, Math.max(0, wait))
}

const known: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was cut',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'its name cannot be looked up now',
  ETIMEDOUT: 'it does not answer',
  EHOSTUNREACH: 'there is no way to that host',
  ENETUNREACH: 'there is no way to that network',
  ENOENT: 'there is no such socket',
  EACCES: 'this user may not connect to it',
  EPIPE: 'the connection was cut'
}

/** Why a request got no answer. */
export function reasonOf(error: NodeJS.ErrnoException & { errors?: readonly NodeJS.ErrnoException[] }): string {
  // Where a name has several addresses, the attempts are told together.
  const code = error.code ?? error.errors?.[0]?.code ?? ''
  if (isUntrusted(error)) return `its certificate is not trusted: ${error.message} (${code})`
  return known[code] ?? (error.message || code)
}

/** Whether it is TLS that says no, which waiting does not change. */
export function isUntrusted({ code = '' }: NodeJS.ErrnoException): boolean {
  return /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME/.test(code)
}
