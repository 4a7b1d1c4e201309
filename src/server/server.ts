// A hub and its listeners: composition, start, reload and stop. It does not know the command line and prints nothing.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { withOptionName } from '../errors.ts'
import type { HandlerOptions } from '../http/request-context.ts'
import { checkHandlerOptions, Router, type SharedParts } from '../http/router.ts'
import { createHub, type Hub } from '../hub/hub.ts'
import { combineObservers, type Observer } from '../hub/observer.ts'
import { resolveHubOptions } from '../hub/options.ts'
import type { Log } from '../log/log.ts'
import { type Address, addressesOf, readAddress } from './address.ts'
import { lingerMs } from './bad-request.ts'
import { type Certificate, readCertificate } from './certificate.ts'
import type { Config } from './config/options.ts'
import { storeKind } from './config/store-value.ts'
import type { Origins } from './dashboard/option-rows.ts'
import { ServerParts as DashboardSource } from './dashboard/parts.ts'
import { checkReload } from './exposure.ts'
import { handlerOptions, timesOf } from './handler-options.ts'
import { type Listener, listen } from './listen.ts'
import { Metrics } from './metrics.ts'
import { answerOps, metricsRoutes, type OpsContext, opsListener } from './ops.ts'
import { checkStore, type OwnLog, openLog } from './store.ts'
import { checkWebhooks, Webhooks } from './webhooks/webhooks.ts'

/** A server that is listening. */
export interface Server {
  readonly hub: Hub
  readonly metrics: Metrics
  /** Where it listens, as URLs. The first is its public URL unless the configuration has another. */
  readonly urls: readonly string[]
  /**
   * Applies the options that can change while the server runs. Streams stay open.
   * @throws OptionError; then nothing has changed
   */
  reload(config: Config, origins?: Origins): Promise<void>
  /** Stops accepting, closes the streams over `drainTimeout`, and resolves when all is closed. Safe to call twice. */
  stop(): Promise<void>
}

/**
 * Checks the options as the parts of a server will read them, and returns the certificate. It opens no port and no history.
 * @throws OptionError
 */
export function checkConfig(config: Config): Certificate | undefined {
  checkHandlerOptions(handlerOptions(config, 'http://localhost'))
  resolveHubOptions(timesOf(config))
  checkWebhooks(config)
  addressesOf(config)
  checkStore(config)
  opsAddress(config)
  return readCertificate(config)
}

/** What a server shares with those of other processes, instead of parts of its own. */
export interface ServerParts extends Omit<SharedParts, 'dashboard'> {
  readonly openLog?: () => Promise<Log>
  /** The text of /metrics. */
  readonly metricsText?: () => Promise<string>
  /** Called for each of `listenAddresses`, in their order. */
  readonly listen?: typeof listen
  /** Where the options were given, for the dashboard. */
  readonly origins?: Origins
  /** The number of the worker process. */
  readonly worker?: number
}

/** Starts a server. Rejects with the error of `listen` if an address cannot be used, or with the error of the log. */
export async function startServer(config: Config, observer: Observer = {}, parts: ServerParts = {}): Promise<Server> {
  const certificate = checkConfig(config)
  const metrics = new Metrics()
  let started: Hub | undefined
  // The log may fail before there is a hub to report it to. Opening it then rejects.
  const failed = (error: unknown) => started?.failed(error)
  const dashboard = new DashboardSource(config, parts.origins, parts.worker)
  const { health } = dashboard
  const webhooks = new Webhooks(config, {
    counted: (result, events) => {
      metrics.webhooks(result, events)
      if (result === 'delivered') health.succeeded('webhooks')
    },
    failed: (error) => {
      health.failed('webhooks', error)
      failed(error)
    },
    retrying: (error) => health.failed('webhooks', error)
  })
  const logFailed = (error: unknown) => {
    health.failed(storeKind(config.store) === 'redis' ? 'redis' : 'log', error)
    failed(error)
  }
  const open =
    parts.openLog ?? (() => openLog(config, { failed: logFailed, warned: (message) => observer.warned?.(message) }))
  const log: ServedLog = await open()
  const hub = createHub({
    log,
    ...timesOf(config),
    observer: combineObservers([metrics.observer, webhooks.observer, dashboard.observer, observer])
  })
  started = hub
  metrics.watch(hub)
  const running = new RunningServer(hub, log, metrics, webhooks, config, parts, dashboard)
  try {
    await running.listen(certificate)
  } catch (error) {
    await running.abandon()
    throw error
  }
  return running
}

/** The rules of a log that another process has are changed there. */
type ServedLog = Log & Partial<Pick<OwnLog, 'retain'>>

class RunningServer implements Server {
  readonly hub: Hub
  readonly metrics: Metrics
  readonly #log: ServedLog
  readonly #parts: ServerParts
  readonly #dashboard: DashboardSource
  readonly #context: OpsContext
  readonly #webhooks: Webhooks
  readonly #listeners: Listener[] = []
  #ops: Listener | undefined
  #config: Config
  #router: Router | undefined
  #stopped: Promise<void> | undefined

  constructor(
    hub: Hub,
    log: ServedLog,
    metrics: Metrics,
    webhooks: Webhooks,
    config: Config,
    parts: ServerParts,
    dashboard: DashboardSource
  ) {
    this.hub = hub
    this.#dashboard = dashboard
    this.metrics = metrics
    this.#parts = parts
    this.#log = log
    this.#webhooks = webhooks
    this.#config = config
    const metricsText = parts.metricsText ?? (() => metrics.text())
    this.#context = { hub, metricsText, isStopping: () => this.#stopped !== undefined }
  }

  get urls(): readonly string[] {
    return this.#listeners.map(({ url }) => url)
  }

  async listen(certificate: Certificate | undefined): Promise<void> {
    const { h2c } = this.#config
    const { listen: begin = listen } = this.#parts
    for (const address of addressesOf(this.#config)) {
      this.#listeners.push(await begin(address, { certificate, h2c }, this.#serve))
      // The first address is the default for the public URL, so the router needs it.
      this.#router ??= this.#makeRouter()
    }
    const ops = opsAddress(this.#config)
    if (ops) this.#ops = await begin(ops, { h2c: false }, opsListener(this.#context))
  }

  async reload(config: Config, origins?: Origins): Promise<void> {
    checkReload(config, this.#config)
    const certificate = readCertificate(config)
    checkHandlerOptions(this.#optionsFor(config))
    await this.#log.retain?.(config.retention)
    this.#router?.reload(this.#optionsFor(config))
    this.#webhooks.reload(config)
    this.#dashboard.reload(config, origins)
    // A reload does not change the addresses, and later reloads have to be checked against the real ones.
    const { host, listen } = this.#config
    this.#config = { ...config, host, listen }
    if (certificate) for (const listener of this.#listeners) listener.renew(certificate)
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  /** Closes everything after a failed start. */
  async abandon(): Promise<void> {
    for (const listener of this.#all) listener.destroy()
    await Promise.all(this.#all.map((listener) => listener.close()))
    await this.hub.close()
  }

  get #all(): Listener[] {
    return this.#ops ? [...this.#listeners, this.#ops] : this.#listeners
  }

  readonly #serve = (request: IncomingMessage, response: ServerResponse): void => {
    // Without an address of their own, /healthz and the like are served with the rest.
    if (this.#ops === undefined && answerOps(this.#context, request, response)) return
    this.#router?.open(request, response)
  }

  #makeRouter(): Router {
    const more = this.#config.opsListen === '' ? metricsRoutes(this.#context) : new Map<string, never>()
    const dashboard = this.#dashboard.of(this.hub, this.urls[0] as string)
    return new Router(this.hub, this.#optionsFor(this.#config), more, { ...this.#parts, dashboard })
  }

  #optionsFor(config: Config): HandlerOptions {
    return handlerOptions(config, this.urls[0] as string)
  }

  async #stop(): Promise<void> {
    const closed = this.#listeners.map((listener) => listener.close())
    await this.hub.drain(this.#config.drainTimeout)
    await this.hub.close()
    // The last subscribers have left by now, so webhooks have all their events.
    closed.push(this.#webhooks.finish(), ...(this.#ops ? [this.#ops.close()] : []))
    for (const listener of this.#all) listener.closeIdle()
    // A closed node:http server no longer applies its timeouts, so a request without an end would keep the process alive.
    const timer = setTimeout(() => {
      for (const listener of this.#all) listener.destroy()
    }, lingerMs)
    await Promise.all(closed)
    clearTimeout(timer)
  }
}

/** All addresses of a server, that for operators last. */
export function listenAddresses(config: Config): Address[] {
  const ops = opsAddress(config)
  return [...addressesOf(config), ...(ops ? [ops] : [])]
}

/** The separate address for operators, if any. @throws OptionError */
function opsAddress({ opsListen }: Config) {
  return opsListen === '' ? undefined : withOptionName('opsListen', () => readAddress(opsListen))
}
