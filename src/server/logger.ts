// Log lines for start, stop, refused requests and failures, and with level `debug` for each stream. They contain no token, no
// data of updates and no query string.
import { type DestinationStream, pino } from 'pino'
import { TidingsError } from '../errors.ts'
import type { Observer } from '../hub/observer.ts'
import type { Config } from './config/options.ts'

export type Logger = pino.Logger

/** @param out default stderr, since stdout is for the output of commands */
export function createLogger(
  { logLevel, logFormat }: Pick<Config, 'logLevel' | 'logFormat'>,
  out: NodeJS.WritableStream & { isTTY?: boolean } = process.stderr
): Logger {
  const isPretty = logFormat === 'pretty' || (logFormat === 'auto' && out.isTTY === true)
  const destination: DestinationStream = {
    write: (line) => void out.write(isPretty ? pretty(line) : escapeControls(line))
  }
  return pino(
    { level: logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level } },
    destination
  )
}

function level(name: string): { level: string } {
  return { level: name }
}

/** An observer that logs the events of a hub. */
export function logObserver(logger: Logger): Observer {
  return {
    refused({ code, reason, request, address, method, path, trace }) {
      logger.info({ code, reason, request, address, method, path, trace }, 'refused')
    },
    joined({ connection: { request, address } }) {
      logger.debug({ request, address }, 'joined')
    },
    left({ connection: { request, address }, age }, reason) {
      logger.debug({ reason, request, address, seconds: Math.round(age / 100) / 10 }, 'closed')
    },
    revoked({ kind, until, closed }) {
      logger.info({ kind, until: until && new Date(until).toISOString(), closed }, 'revoked')
    },
    lifted({ kind }) {
      logger.info({ kind }, 'revocation lifted')
    },
    failed(error) {
      logger.error({ error: describe(error) }, 'failed')
    },
    warned(message) {
      logger.warn({}, message)
    }
  }
}

/** The text of an error without its other properties, which may hold a client's data. */
function describe(error: unknown): string {
  if (error instanceof TidingsError) return `${error.code}: ${error.message}`
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

/**
 * Escapes control characters, so that a client's text cannot control the terminal of a reader: those that JSON does not escape
 * (DEL, C1), and in pretty lines all of them. Line breaks and tabs stay, for stack traces.
 */
function escapeControls(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters it exists to find
  return text.replace(/[\0-\x08\x0b-\x1f\x7f-\x9f]/g, (found) => {
    return `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

/** `21:09:14.512 info closed reason=client address=127.0.0.1:51234` */
function pretty(line: string): string {
  const { time = '', level = '', msg = '', ...rest } = JSON.parse(line) as Record<string, string>
  const fields = Object.entries(rest).map(([name, value]) => `${name}=${escapeControls(String(value))}`)
  return `${[time.slice(11, 23), level, msg, ...fields].join(' ')}\n`
}
