// The primary process of `tidings serve --workers`: it has the log and no clients, starts the workers, replaces one that ends, and
// answers what concerns all of them.
import cluster from 'node:cluster'
import { within } from '../../deadline.ts'
import { LogServer } from '../../log/workers/server.ts'
import type { Config } from '../config/options.ts'
import { storeKind } from '../config/store-value.ts'
import type { Origins } from '../dashboard/option-rows.ts'
import { checkReload } from '../exposure.ts'
import { type Logger, logObserver } from '../logger.ts'
import { combineMetrics, PrimaryMetrics } from '../metrics.ts'
import { checkConfig, listenAddresses, type Server } from '../server.ts'
import { type OwnLog, openEmbeddedLog } from '../store.ts'
import { Acceptor } from './acceptor.ts'
import { Channel } from './channel.ts'
import { combineDescriptions } from './combine.ts'
import { Crashes } from './crashes.ts'
import { PrimaryLimits } from './limits.ts'
import type { PrimaryMethods, WorkerMethods } from './messages.ts'
import { endWorker, type RunningWorker } from './running-worker.ts'
import { primaryVariable } from './variable.ts'

/** The time between two attempts to start a worker while Redis cannot be reached. */
const outageDelayMs = 1_000

/** How long the primary waits for the figures of a worker. One that hangs must not hide those of the others. */
const answerTimeoutMs = 2_000

/** What the command line needs of a server, or of several. */
export type ServerControl = Pick<Server, 'urls' | 'reload' | 'stop'>
type Failed = (control: ServerControl) => void

/**
 * Starts the workers, and the log unless it is in Redis.
 * @param failed called when workers end again and again; it stops everything
 * @throws OptionError, or the error of a worker's start
 */
export async function startCluster(
  config: Config,
  origins: Origins,
  logger: Logger,
  failed: Failed
): Promise<ServerControl> {
  checkConfig(config)
  const primary = new Primary(config, origins, logger, failed)
  try {
    await primary.start()
  } catch (error) {
    await primary.stop()
    throw error
  }
  return primary
}

class Primary implements ServerControl {
  readonly #acceptor = new Acceptor()
  readonly #logger: Logger
  readonly #failed: Failed
  readonly #limits: PrimaryLimits
  readonly #metrics = new PrimaryMetrics()
  readonly #workers = new Map<number, RunningWorker>()
  readonly #crashes = new Crashes()
  #config: Config
  #origins: Origins
  #log: OwnLog | undefined
  #logServer: LogServer | undefined
  #stopped: Promise<void> | undefined

  constructor(config: Config, origins: Origins, logger: Logger, failed: Failed) {
    this.#config = config
    this.#origins = origins
    this.#logger = logger
    this.#failed = failed
    this.#limits = new PrimaryLimits(config)
  }

  async start(): Promise<void> {
    const { store, workers, tlsCert } = this.#config
    await this.#acceptor.listenAll(listenAddresses(this.#config), this.#opsAddresses, tlsCert !== '')
    if (storeKind(store) !== 'redis') {
      const log = await openEmbeddedLog(this.#config, (error) => logObserver(this.#logger).failed?.(error))
      this.#log = log
      this.#logServer = await LogServer.listen(log)
    }
    cluster.setupPrimary({ exec: process.argv[1] as string, args: ['serve'], serialization: 'advanced' })
    // The first one alone: what keeps it from starting is one error, and not one of each worker.
    await this.#fork(1)
    await Promise.all(Array.from({ length: workers - 1 }, (_, at) => this.#fork(at + 2)))
  }

  get urls(): readonly string[] {
    return this.#acceptor.urls.slice(0, this.#acceptor.urls.length - this.#opsAddresses)
  }

  get #opsAddresses(): 0 | 1 {
    return this.#config.opsListen === '' ? 0 : 1
  }

  async reload(config: Config, origins = this.#origins): Promise<void> {
    checkReload(config, this.#config)
    checkConfig(config)
    await this.#log?.retain(config.retention)
    this.#limits.adjust(config)
    const { host, listen } = this.#config
    // A worker that starts from now on begins with the new options.
    this.#config = { ...config, host, listen }
    this.#origins = origins
    await Promise.all(this.#started.map((running) => this.#reload(running)))
  }

  /** A worker that has ended meanwhile is replaced by one with the new options. */
  async #reload(running: RunningWorker): Promise<void> {
    running.config = this.#config
    try {
      await running.channel.ask('reload', this.#config, this.#origins)
    } catch (error) {
      if (!running.channel.isClosed) throw error
    }
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  async #stop(): Promise<void> {
    this.#acceptor.closeToClients()
    await Promise.all([...this.#workers.values()].map((running) => endWorker(running, this.#config.drainTimeout)))
    this.#acceptor.close()
    await this.#logServer?.close()
    await this.#log?.close()
  }

  get #started(): RunningWorker[] {
    return [...this.#workers.values()].filter(({ isStarted }) => isStarted)
  }

  /** The answers of all workers that answer in time and do not end meanwhile. */
  async #askAll<Result>(ask: (channel: Channel<WorkerMethods>) => Promise<Result>): Promise<Result[]> {
    const settled = await Promise.allSettled(
      this.#started.map(({ channel }) => within<Result | undefined>(answerTimeoutMs, ask(channel), () => undefined))
    )
    return settled.flatMap((one) => (one.status === 'fulfilled' && one.value !== undefined ? [one.value] : []))
  }

  /** Starts a worker, and resolves when it takes connections. Rejects when it has ended before. */
  #fork(number: number): Promise<void> {
    const worker = cluster.fork({ [primaryVariable]: String(process.pid) })
    // What was sent to a worker that has just ended. Its end is an event of its own.
    worker.on('error', () => {})
    return new Promise((resolve, reject) => {
      const channel = new Channel<WorkerMethods>(
        worker,
        this.#methods(() => running, resolve)
      )
      const state = { config: undefined, isStarted: false, startError: undefined }
      const running: RunningWorker = { worker, number, channel, streams: new Set(), ...state }
      this.#workers.set(number, running)
      worker.once('exit', (code, signal) => {
        channel.close('the worker has ended')
        this.#acceptor.ended(worker)
        for (const stream of running.streams) this.#limits.leave(stream)
        this.#limits.setUnlimited(number, 0)
        this.#workers.delete(number)
        const reason = signal ?? code
        if (running.isStarted) this.#replace(number, reason)
        else reject(running.startError ?? new Error(`worker ${number} ended during its start (${reason})`))
      })
    })
  }

  #replace(worker: number, reason: string | number): void {
    if (this.#stopped !== undefined) return
    this.#logger.error({ worker, reason }, 'a worker has ended, and another one is started')
    if (this.#crashes.add()) this.#giveUp('too many workers have ended within ten seconds')
    else this.#startAgain(worker)
  }

  #startAgain(worker: number): void {
    if (this.#stopped !== undefined) return
    this.#fork(worker).catch((error: Error & { code?: string }) => {
      // The other workers keep their streams while Redis is away.
      if (error.code === 'log_unavailable') setTimeout(() => this.#startAgain(worker), outageDelayMs).unref()
      else this.#replace(worker, error.message)
    })
  }

  #giveUp(why: string): void {
    this.#logger.fatal(why)
    this.#failed(this)
  }

  /** @param running the worker that asks; it exists when the first question arrives */
  #methods(running: () => RunningWorker, started: () => void): PrimaryMethods {
    return {
      begin: () => {
        running().config = this.#config
        const { urls } = this.#acceptor
        return {
          config: this.#config,
          origins: this.#origins,
          number: running().number,
          urls,
          logPath: this.#logServer?.path
        }
      },
      started: () => {
        const { worker, number } = running()
        running().isStarted = true
        this.#acceptor.add(worker)
        this.#logger.debug({ worker: number, pid: worker.process.pid }, 'a worker has started')
        started()
        // There was a reload while it started. The primary process has checked the options.
        if (running().config !== this.#config) this.#reload(running()).catch(() => {})
      },
      failed: ({ message, code }) => {
        running().startError = Object.assign(new Error(message), { code })
      },
      taken: (connection) => this.#acceptor.taken(running().worker, connection),
      stopping: () => this.#acceptor.drain(running().worker),
      enter: (address, subject, isPaced) => this.#enter(running(), address, subject, isPaced),
      leave: (stream) => {
        running().streams.delete(stream)
        this.#limits.leave(stream)
      },
      unlimited: (streams) => this.#limits.setUnlimited(running().number, streams),
      publish: (address, subject) => this.#limits.publish(address, subject),
      metrics: async () => {
        const ofWorkers = await this.#askAll((channel) => channel.ask('metrics'))
        return combineMetrics([await this.#metrics.values(ofWorkers.length), ...ofWorkers])
      },
      describe: async (limit) => combineDescriptions(await this.#askAll((one) => one.ask('describe', limit)), limit)
    }
  }

  async #enter(
    { streams, channel }: RunningWorker,
    address: string,
    subject: string | undefined,
    isPaced: boolean
  ): Promise<number> {
    const stream = await this.#limits.enter(address, subject, isPaced)
    // The worker may have ended while the stream waited for its turn.
    if (channel.isClosed) this.#limits.leave(stream)
    else streams.add(stream)
    return stream
  }
}
