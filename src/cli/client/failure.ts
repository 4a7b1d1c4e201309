// Errors that end a command, and the sentences for refused requests and network errors.

import type { IncomingHttpHeaders } from 'node:http'

/** Ends a command with exit code 1. Only `message` is printed. */
export class Failure extends Error {
  override readonly name: string = 'Failure'
}

/** The server refused the request. `message` has its own words. */
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
  const moved = headers.location === undefined ? '' : `; it redirects to ${headers.location}`
  return new Refused(status, `${sentenceOf(text)} (${status})${moved}`)
}

/** The reason in a refusal, from JSON or plain text. An HTML page has no reason that fits on a line. */
function sentenceOf(text: string): string {
  const said = messageIn(text) ?? text
  if (said.trim() === '' || /^\s*</.test(said)) return 'the server refused without a reason'
  return said.trim().replace(/\s+/g, ' ').slice(0, 500)
}

/** The message in a refusal in JSON. */
export function messageIn(text: string): string | undefined {
  try {
    const { error } = JSON.parse(text) as { error?: { message?: unknown } }
    return typeof error?.message === 'string' ? error.message : undefined
  } catch {
    return undefined
  }
}

const known: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was closed',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'the name lookup failed',
  ETIMEDOUT: 'it does not answer',
  EHOSTUNREACH: 'there is no route to that host',
  ENETUNREACH: 'there is no route to that network',
  ENOENT: 'there is no such socket',
  EACCES: 'this user may not connect to it',
  EPIPE: 'the connection was closed'
}

/** Why a request got no answer, in a few words. */
export function reasonOf(error: NodeJS.ErrnoException & { errors?: readonly NodeJS.ErrnoException[] }): string {
  // If a name has several addresses, Node combines the errors of all attempts.
  const code = error.code ?? error.errors?.[0]?.code ?? ''
  if (isUntrusted(error)) return `its certificate is not trusted: ${error.message} (${code})`
  return known[code] ?? (error.message || code)
}

/** Whether the certificate was rejected. A retry would not help. */
export function isUntrusted({ code = '' }: NodeJS.ErrnoException): boolean {
  return /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME/.test(code)
}
