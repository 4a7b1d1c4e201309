// A hub behind its listeners: composition, start, reload and stop. It knows no command line and prints nothing.
import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createSecureContext } from 'node:tls'
import { hubPath } from '../http/access/options.ts'
import type { HandlerOptions } from '../http/request-context.ts'
import { checkHandlerOptions, Router } from '../http/router.ts'
import { createHub, type Hub } from '../hub/hub.ts'
import { combineObservers, type Observer } from '../hub/observer.ts'
import { type HubOptions, resolveHubOptions } from '../hub/options.ts'
import { LmdbLog } from '../log/lmdb/log.ts'
import { MemoryLog } from '../log/memory/log.ts'
import { checkAddress, placeOf } from '../log/redis/address.ts'
import { RedisLog } from '../log/redis/log.ts'
import { addressesOf, readAddress } from './address.ts'
import { lingerMs } from './bad-request.ts'
import { type Config, ConfigError } from './config/config.ts'
import { checkReload, isGuarded } from './exposure.ts'
import { type Certificate, type Listener, listen } from './listen.ts'
import { Metrics } from './metrics.ts'
import { answerOps, metricsRoutes, type OpsContext, opsListener } from './ops.ts'
import { checkWebhooks, Webhooks } from './webhooks/webhooks.ts'

/** A server that is listening. */
export interface Server {
  readonly hub: Hub
  /** Where it listens, as a client would write it; the first is its name, where it has no other. */
  readonly urls: readonly string[]
  /**
   * Takes over what can be changed while it runs. Streams go on.
   * @throws RangeError or ConfigError that says what is wrong; then everything stays as it was.
   */
  reload(config: Config): Promise<void>
  /** Stops accepting, ends every stream over `drainTimeout`, and resolves when nothing is left. Safe to call twice. */
  stop(): Promise<void>
}

/**
 * Looks at what only shows when options are put together, and answers the certificate; it starts and opens nothing.
 * @throws RangeError or ConfigError that says what is wrong.
 */
export function checkConfig(config: Config): Certificate | undefined {
  checkHandlerOptions(handlerOptions(config, 'http://localhost'))
  resolveHubOptions(timesOf(config))
  checkWebhooks(config)
  addressesOf(config)
  checkShared(config)
  if (config.opsListen !== '') readAddress(config.opsListen)
  return readCertificate(config)
}

/** Starts a server. Rejects with the error of `listen` where an address cannot be had, or of the log. */
export async function startServer(config: Config, observer: Observer = {}): Promise<Server> {
  const certificate = checkConfig(config)
  const metrics = new Metrics()
  let started: Hub | undefined
  // Before there is a hub, whoever waits for the log is told.
  const failed = (error: unknown) => started?.failed(error)
  const webhooks = new Webhooks(config, { counted: metrics.webhooks, failed })
  const log = await openLog(config, failed, (message) => observer.warned?.(message))
  const hub = createHub({
    log,
    ...timesOf(config),
    observer: combineObservers([metrics.observer, webhooks.observer, observer])
  })
  started = hub
  metrics.watch(hub)
  const running = new RunningServer(hub, log, metrics, webhooks, config)
  try {
    await running.listen(certificate)
  } catch (error) {
    await running.abandon()
    throw error
  }
  return running
}

class RunningServer implements Server {
  readonly hub: Hub
  readonly #log: OwnLog
  readonly #subject: OpsContext
  readonly #webhooks: Webhooks
  readonly #listeners: Listener[] = []
  #ops: Listener | undefined
  #config: Config
  #router: Router | undefined
  #stopped: Promise<void> | undefined

  constructor(hub: Hub, log: OwnLog, metrics: Metrics, webhooks: Webhooks, config: Config) {
    this.hub = hub
    this.#log = log
    this.#webhooks = webhooks
    this.#config = config
    this.#subject = { hub, metrics, isStopping: () => this.#stopped !== undefined }
  }

  get urls(): readonly string[] {
    return this.#listeners.map(({ url }) => url)
  }

  async listen(certificate: Certificate | undefined): Promise<void> {
    const { h2c, opsListen } = this.#config
    for (const address of addressesOf(this.#config)) {
      this.#listeners.push(await listen(address, { certificate, h2c }, this.#serve))
      // Whoever does not say the server's name gives it that of its first address.
      this.#router ??= this.#makeDoor()
    }
    if (opsListen !== '') {
      this.#ops = await listen(readAddress(opsListen), { h2c: false }, opsListener(this.#subject))
    }
  }

  async reload(config: Config): Promise<void> {
    checkReload(config, this.#config)
    const certificate = readCertificate(config)
    checkHandlerOptions(this.#optionsFor(config))
    await this.#log.retain(config.retention)
    this.#router?.reload(this.#optionsFor(config))
    this.#webhooks.reload(config)
    // The addresses stay those that the process listens on.
    const { host, listen } = this.#config
    this.#config = { ...config, host, listen }
    if (certificate) for (const listener of this.#listeners) listener.renew(certificate)
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  /** Lets go of everything, since starting did not succeed. */
  async abandon(): Promise<void> {
    for (const listener of this.#all) listener.destroy()
    await Promise.all(this.#all.map((listener) => listener.close()))
    await this.hub.close()
  }

  get #all(): Listener[] {
    return this.#ops ? [...this.#listeners, this.#ops] : this.#listeners
  }

  readonly #serve = (request: IncomingMessage, response: ServerResponse): void => {
    // Without an address of their own, the operators' paths are beside the rest.
    if (this.#ops === undefined && answerOps(this.#subject, request, response)) return
    this.#router?.open(request, response)
  }

  #makeDoor(): Router {
    const more = this.#config.opsListen === '' ? metricsRoutes(this.#subject) : new Map<string, never>()
    return new Router(this.hub, this.#optionsFor(this.#config), more)
  }

  #optionsFor(config: Config): HandlerOptions {
    return handlerOptions(config, this.urls[0] as string)
  }

  async #stop(): Promise<void> {
    const closed = this.#listeners.map((listener) => listener.close())
    await this.hub.drain(this.#config.drainTimeout)
    await this.hub.close()
    // Only now everyone has left.
    closed.push(this.#webhooks.finish(), ...(this.#ops ? [this.#ops.close()] : []))
    for (const listener of this.#all) listener.closeIdle()
    // Once closed, node:http times no request any more, so that one that never ends would keep the process.
    const timer = setTimeout(() => {
      for (const listener of this.#all) listener.destroy()
    }, lingerMs)
    await Promise.all(closed)
    clearTimeout(timer)
  }
}

function timesOf({ heartbeat, slowTimeout, maxAge, presenceTimeout, idempotent }: Config): HubOptions {
  return { heartbeat, slowTimeout, maxAge, presenceTimeout, idempotent }
}

/** What the doors need to know; a server that was not told its name goes by the address that it listens on. */
function handlerOptions(config: Config, url: string): HandlerOptions {
  const { audience, publicUrls, clockTolerance, open, ...rest } = config
  const isNamed = audience.length > 0 || publicUrls.length > 0
  return {
    ...rest,
    publicUrls,
    audience: isNamed ? audience : [(url.startsWith('unix:') ? 'http://localhost' : url) + hubPath],
    clockTolerance: clockTolerance / 1_000,
    // With neither --open nor anyone who decides it is for this machine alone, and for those who know that they ask for this machine.
    localOnly: !open && !isGuarded(config)
  }
}

/** Any of ours: their rules can be changed while they are in use. */
type OwnLog = MemoryLog | LmdbLog | RedisLog

async function openLog(
  config: Config,
  failed: (error: unknown) => void,
  warn: (message: string) => void
): Promise<OwnLog> {
  const { data, durability, log, retention } = config
  if (log !== '') return RedisLog.open({ ...redisOf(config), retention, failed, warn })
  return data === '' ? new MemoryLog({ retention }) : LmdbLog.open({ path: data, durability, retention })
}

function redisOf({ log, logPrefix, logName }: Config) {
  return { url: log, prefix: logPrefix, name: logName }
}

/** @throws ConfigError that names the option, and nothing of an address: a password may be in it. */
function checkShared(config: Config): void {
  try {
    if (config.log !== '') checkAddress(redisOf(config))
  } catch (error) {
    const [option = '', ...rest] = (error as Error).message.split(':')
    const flags = new Map([
      ['url', '--log'],
      ['prefix', '--log-prefix'],
      ['name', '--log-name']
    ])
    throw new ConfigError([flags.get(option) ?? option, ...rest].join(':'))
  }
}

/** Where history is, without what is secret about it. */
export function historyOf({ log, data }: Config): string {
  if (log !== '') return `Redis at ${placeOf(log)}`
  return data === '' ? 'memory' : data
}

/** @throws ConfigError where the two do not go together, or are none. */
function checkCertificate(certificate: Certificate): void {
  try {
    createSecureContext(certificate)
  } catch (error) {
    throw new ConfigError(`--tls-cert and --tls-key cannot be used: ${(error as Error).message}`)
  }
}

/** @throws ConfigError that names the file, or as `checkCertificate` does. */
function readCertificate({ tlsCert, tlsKey }: Config): Certificate | undefined {
  if (tlsCert === '') return undefined
  const read = (path: string, option: string) => {
    try {
      return readFileSync(path)
    } catch (error) {
      throw new ConfigError(`${option}: ${path} cannot be read: ${(error as NodeJS.ErrnoException).code}`)
    }
  }
  const certificate = { cert: read(tlsCert, '--tls-cert'), key: read(tlsKey, '--tls-key') }
  checkCertificate(certificate)
  return certificate
}
