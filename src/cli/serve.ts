// `tidings serve`: starts a server, says where it is and what to try, and stops it when told to. What is served is not its
// business.
import { Command } from 'commander'
import { isShort, readKey } from '../auth/keys.ts'
import { type Config, configure, flagFor } from '../server/config/config.ts'
import { hasKeys } from '../server/exposure.ts'
import { createLogger, type Logger, logObserver } from '../server/logger.ts'
import { historyOf, type Server, startServer } from '../server/server.ts'
import { describeStartError, withServerFlags } from './server-flags.ts'
import { version } from './version.ts'

const examples = `
Examples:
  tidings serve
  tidings serve --data ./history --retention '[{"match":"*","age":"7d"}]'
  tidings serve --config tidings.yaml --port 8080

Flags go before variables, variables before the file; what a secret needs can be named by a variable that ends in _FILE.
\`tidings check-config\` takes the same and says what is wrong without starting. SIGHUP reloads; docs/configuration.md says
what.
`

export function serveCommand(): Command {
  return withServerFlags(new Command('serve'))
    .description('Start a server.')
    .addHelpText('after', examples)
    .action((flags: Record<string, unknown>) => serve(flags))
}

async function serve(flags: Record<string, unknown>): Promise<void> {
  const started = await startOrExplain(flags)
  if (!started) return
  const { server, config, logger } = started
  // Before it says that it is there: whoever reads that may tell it to stop.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop(server, logger, signal))
  process.on('SIGHUP', () => void reload(server, flags, logger))
  console.log(greeting(server.urls, config))
  warnOfShortKeys(config, logger)
  logger.info({ version, node: process.version, listens: server.urls, history: historyOf(config) }, 'started')
}

interface Started {
  readonly server: Server
  readonly config: Config
  readonly logger: Logger
}

/** Undefined, with one line said and the exit code set, where the server cannot start. */
async function startOrExplain(flags: Record<string, unknown>): Promise<Started | undefined> {
  let config: Config | undefined
  try {
    config = configure(flags, process.env)
    const logger = createLogger(config)
    return { server: await startServer(config, logObserver(logger)), config, logger }
  } catch (error) {
    console.error(`tidings: ${describeStartError(error as NodeJS.ErrnoException, config)}`)
    process.exitCode = 1
    return undefined
  }
}

/** What to try: with keys, it takes a token. */
function greeting(urls: readonly string[], config: Config): string {
  const { anonymous } = config
  const bearer = hasKeys(config) ? `-H "Authorization: Bearer $TOKEN" ` : ''
  const listening = `tidings is listening on ${urls.join(' and ')}, and keeps history in ${historyOf(config)}\n`
  const url = urls.find((one) => one.startsWith('http'))
  if (url === undefined) return listening
  return `${listening}
  open      ${url}
  listen    curl -N ${anonymous ? '' : bearer}${url}/subscribe
  publish   curl ${bearer}-d 'hello' ${url}/publish
${bearer && "  token     tidings token --publish '*', or --subscribe '*'\n"}`
}

/** [RFC 7518, 3.2] */
function warnOfShortKeys(config: Config, logger: Logger): void {
  for (const name of ['publisherKey', 'subscriberKey'] as const) {
    if (config[name] === '' || !isShort(readKey(config[name]))) continue
    const flag = flagFor(name)
    logger.warn(
      `${flag} is shorter than the 32 bytes that HS256 asks for, and so easier to guess; openssl rand -hex 32 makes one`
    )
  }
}

/** What is wrong with the new configuration is said, and the old one stays. */
async function reload(server: Server, flags: Record<string, unknown>, logger: Logger): Promise<void> {
  try {
    const config = configure(flags, process.env)
    await server.reload(config)
    logger.level = config.logLevel
    logger.info('reloaded')
  } catch (error) {
    logger.error(`not reloaded, everything stays as it was: ${describeStartError(error as Error, undefined)}`)
  }
}

let stopping = false

/** A second signal ends the process at once. */
async function stop(server: Server, logger: Logger, signal: string): Promise<void> {
  if (stopping) process.exit(130)
  stopping = true
  logger.info({ signal }, 'stopping')
  await server.stop()
  logger.info('stopped')
}
