// One line for each thing that happens: start, stop, refusal, close, failure. It writes no token, no payload and no query.
import { type DestinationStream, pino } from 'pino'
import { TidingsError } from '../errors.ts'
import type { Observer } from '../hub/observer.ts'
import type { Config } from './config-shape.ts'

export type Logger = pino.Logger

/** @param out where lines go; default stderr, so that stdout stays for what was asked for */
export function createLogger(
  { logLevel, logFormat }: Pick<Config, 'logLevel' | 'logFormat'>,
  out: NodeJS.WritableStream & { isTTY?: boolean } = process.stderr
): Logger {
  const isPretty = logFormat === 'pretty' || (logFormat === 'auto' && out.isTTY === true)
  const destination: DestinationStream = { write: (line) => void out.write(isPretty ? pretty(line) : line) }
  return pino(
    { level: logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level } },
    destination
  )
}

function level(name: string): { level: string } {
  return { level: name }
}

/** What happens in a hub, as lines. */
export function logged(logger: Logger): Observer {
  return {
    refused({ code, request, address, method, path, trace }) {
      logger.info({ code, request, address, method, path, trace }, 'refused')
    },
    joined({ connection: { request, address } }) {
      logger.debug({ request, address }, 'joined')
    },
    left({ connection: { request, address }, age }, reason) {
      logger.info({ reason, request, address, seconds: Math.round(age / 100) / 10 }, 'closed')
    },
    failed(error) {
      logger.error({ error: describe(error) }, 'failed')
    },
    warned(message) {
      logger.warn({}, message)
    }
  }
}

/** An error as text: what it holds besides may be a client's. */
function describe(error: unknown): string {
  if (error instanceof TidingsError) return `${error.code}: ${error.message}`
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

/** `21:09:14.512 info closed reason=client address=127.0.0.1:51234` */
function pretty(line: string): string {
  const { time = '', level = '', msg = '', ...rest } = JSON.parse(line) as Record<string, string>
  const fields = Object.entries(rest).map(([name, value]) => `${name}=${value}`)
  return `${[time.slice(11, 23), level, msg, ...fields].join(' ')}\n`
}
