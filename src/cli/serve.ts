// `tidings serve`: starts a server, prints its address and commands to try, reloads it on SIGHUP and stops it on SIGTERM.
import { Command } from 'commander'
import { isShort, readKey } from '../auth/keys.ts'
import { isWorker } from '../server/cluster/variable.ts'
import { nameIn, type Sources } from '../server/config/config.ts'
import { unknownVariables } from '../server/config/environment.ts'
import type { Config } from '../server/config/options.ts'
import { describeStore } from '../server/config/store-value.ts'
import { originsOf } from '../server/dashboard/option-rows.ts'
import { hasKeys } from '../server/exposure.ts'
import { createLogger, type Logger, logObserver } from '../server/logger.ts'
import { type Server, startServer } from '../server/server.ts'
import { endOnFailure } from './client/run.ts'
import { withConfig, withServerFlags } from './server-flags.ts'
import { version } from './version.ts'

const examples = `
Examples:
  tidings serve
  tidings serve --store ./history --retention '[{"match":"*","age":"7d"}]'
  tidings serve --config tidings.yaml --port 8080

Flags win over variables, and variables over the file. A secret can also be in a file that a variable ending in _FILE
names. \`tidings check-config\` takes the same options and checks them without starting a server. SIGHUP reloads the
options that docs/configuration.md marks.
`

export function serveCommand(): Command {
  return withServerFlags(new Command('serve'))
    .addHelpText('after', examples)
    .action((flags: Record<string, unknown>) => endOnFailure(() => serve(flags)))
}

async function serve(flags: Record<string, unknown>): Promise<void> {
  if (isWorker()) {
    await (await import('../server/cluster/worker.ts')).runWorker()
    return
  }
  const { server, config, sources, logger } = await withConfig(flags, start)
  // Before the greeting: its reader may send a signal at once.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop(server, logger, signal))
  process.on('SIGHUP', () => void reload(server, flags, logger))
  console.log(greeting(server.urls, config))
  warnAboutShortKeys(config, sources, logger)
  for (const warning of unknownVariables(process.env)) logger.warn(warning)
  logger.info({ version, node: process.version, listens: server.urls, history: describeStore(config.store) }, 'started')
}

/** One server, or several with `--workers`. */
type ServerControl = Pick<Server, 'urls' | 'reload' | 'stop'>

interface Started {
  readonly server: ServerControl
  readonly config: Config
  readonly sources: Sources
  readonly logger: Logger
}

async function start(config: Config, sources: Sources): Promise<Started> {
  const logger = createLogger(config)
  const origins = originsOf(sources)
  if (config.workers === 1) {
    const server = await startServer(config, logObserver(logger), { origins })
    return { server, config, sources, logger }
  }
  const { startCluster } = await import('../server/cluster/primary.ts')
  const server = await startCluster(config, origins, logger, (failed) => {
    process.exitCode = 1
    void stop(failed, logger, 'failure')
  })
  return { server, config, sources, logger }
}

/** Where the server listens, and commands to try; they need a token if the server has keys. */
function greeting(urls: readonly string[], config: Config): string {
  const { anonymous, dashboard } = config
  const bearer = hasKeys(config) ? `-H "Authorization: Bearer $TOKEN" ` : ''
  const listening = `tidings is listening on ${urls.join(' and ')}, and keeps history in ${describeStore(config.store)}\n`
  const url = urls.find((one) => one.startsWith('http'))
  if (url === undefined) return listening
  return `${listening}
  open       ${url}
${dashboard === 'off' ? '' : `  dashboard  ${url}/dashboard\n`}\
  listen     curl -N ${anonymous ? '' : bearer}${url}/subscribe
  publish    curl ${bearer}-d 'hello' ${url}/publish
${config.publisherKey && `  token      npx tidings token --publish '*'${audienceFlag(url, config)}\n`}`
}

/** `tidings token` knows the default address only. */
function audienceFlag(url: string, { audience: [named], publicUrls: [publicUrl] }: Config): string {
  if (named !== undefined) return ` --audience ${named}`
  const address = publicUrl ?? url
  return address === 'http://127.0.0.1:5000' ? '' : ` --url ${address}`
}

/** HS256 requires a secret of at least 256 bits [RFC 7518, 3.2]. */
function warnAboutShortKeys(config: Config, sources: Sources, logger: Logger): void {
  for (const name of ['publisherKey', 'subscriberKey'] as const) {
    if (config[name] === '' || !isShort(readKey(config[name]))) continue
    logger.warn(
      `${nameIn(sources)(name)}: shorter than the 32 bytes that HS256 requires; "openssl rand -hex 32" makes a secret`
    )
  }
}

/** An error in the new configuration is logged, and the old one stays in use. */
async function reload(server: ServerControl, flags: Record<string, unknown>, logger: Logger): Promise<void> {
  try {
    await withConfig(flags, async (config, sources) => {
      await server.reload(config, originsOf(sources))
      logger.level = config.logLevel
    })
    logger.info('reloaded')
  } catch (error) {
    logger.error(`not reloaded, the old configuration stays in use: ${(error as Error).message}`)
  }
}

let stopping = false

/** A second signal ends the process at once. */
async function stop(server: ServerControl, logger: Logger, signal: string): Promise<void> {
  if (stopping) process.exit(130)
  stopping = true
  logger.info({ signal }, 'stopping')
  await server.stop()
  logger.info('stopped')
}
