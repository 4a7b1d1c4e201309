// The flags that client commands share, and how their values are read.
import { type Command, Option as Flag, InvalidArgumentError } from 'commander'
import { parseDuration } from '../../units.ts'
import { Failure } from './failure.ts'
import type { Target } from './request.ts'

export interface TargetFlags {
  readonly url: URL
  readonly token?: string
  readonly socket?: string
}

const defaultUrl = 'http://127.0.0.1:5000'

/** The variable of `--url`. */
export const urlVariable = 'TIDINGS_URL'

/** Adds the flags for the address of the server and its token. */
export function withTargetFlags(command: Command): Command {
  return withTokenFlags(
    command.addOption(
      new Flag('--url <url>', 'URL of the server')
        .env(urlVariable)
        .argParser(readUrl)
        .default(new URL(defaultUrl), defaultUrl)
    )
  )
}

/** The same for a command that takes the URL as an argument. */
export function withTokenFlags(command: Command): Command {
  return command
    .addOption(
      new Flag('--token <token>', 'token for the server; prefer the variable over the flag').env('TIDINGS_TOKEN')
    )
    .option('--socket <path>', 'Unix socket to connect to instead of the host in the URL')
}

/** @throws InvalidArgumentError that shows what a URL looks like */
export function readUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new InvalidArgumentError(
      'Expected a URL that begins with http:// or https://, such as https://hub.example.com.'
    )
  }
  if (!url.pathname.endsWith('/')) url.pathname += '/'
  url.search = url.hash = ''
  return url
}

/** @throws Failure for a token with characters that no token has */
export function targetOf({ url, token, socket }: TargetFlags): Target {
  const bearer = token?.trim()
  if (bearer && !/^[\x21-\x7e]+$/.test(bearer))
    throw new Failure(
      'the token contains a space or another character that no token has; check --token and TIDINGS_TOKEN'
    )
  return { base: url, ...(bearer && { token: bearer }), ...(socket && { socket }) }
}

/** Collects the values of a flag that may be repeated. */
export function collect(value: string, values: readonly string[] = []): string[] {
  return [...values, value]
}

/** Reads a whole number that is not less than `least`. */
export function whole(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d{1,9}$/.test(text) && value >= least) return value
    throw new InvalidArgumentError(`Expected a whole number of at least ${least}.`)
  }
}

/** Milliseconds from a number of seconds, or from a duration such as 500ms or 2m. */
export function seconds(text: string): number {
  try {
    return parseDuration(/^[\d.]+$/.test(text) ? `${text}s` : text)
  } catch {
    throw new InvalidArgumentError('Expected seconds, or a duration such as 500ms or 2m.')
  }
}
