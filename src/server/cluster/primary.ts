// The primary process of `tidings serve --workers`: it has the log and no clients, starts the workers, replaces one that ends, and
// answers what concerns all of them.
import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { LogServer } from '../../log/workers/server.ts'
import type { Config } from '../config/options.ts'
import { storeKind } from '../config/store-value.ts'
import { checkReload } from '../exposure.ts'
import type { Logger } from '../logger.ts'
import { combineMetrics, PrimaryMetrics } from '../metrics.ts'
import { checkConfig, type Server } from '../server.ts'
import { type OwnLog, openEmbeddedLog } from '../store.ts'
import { Channel } from './channel.ts'
import { combineDescriptions } from './combine.ts'
import { PrimaryLimits } from './limits.ts'
import type { PrimaryMethods, StartError, WorkerMethods } from './messages.ts'

/** How much longer than the drain timeout a worker may take to end, in milliseconds. */
const graceMs = 10_000
/** Workers that may end within this time before the primary process gives up. */
const crashWindowMs = 10_000
const maxCrashes = 5

interface RunningWorker {
  readonly worker: Worker
  readonly number: number
  readonly channel: Channel<WorkerMethods>
  /** Its streams in the limits. */
  readonly streams: Set<number>
  isStarted: boolean
}

/** What the command line needs of a server, or of several. */
export type ServerControl = Pick<Server, 'urls' | 'reload' | 'stop'>

/**
 * Starts the workers, and the log unless it is in Redis.
 * @param failed called when workers end again and again; everything is stopped then
 * @throws OptionError, or the error of a worker's start
 */
export async function startCluster(config: Config, logger: Logger, failed: () => void): Promise<ServerControl> {
  checkConfig(config)
  const primary = new Primary(config, logger, failed)
  try {
    await primary.start()
  } catch (error) {
    await primary.stop()
    throw error
  }
  return primary
}

class Primary implements ServerControl {
  urls: readonly string[] = []
  readonly #logger: Logger
  readonly #failed: () => void
  readonly #limits: PrimaryLimits
  readonly #metrics = new PrimaryMetrics()
  readonly #workers = new Map<number, RunningWorker>()
  readonly #crashes: number[] = []
  #config: Config
  #log: OwnLog | undefined
  #logServer: LogServer | undefined
  #stopped: Promise<void> | undefined

  constructor(config: Config, logger: Logger, failed: () => void) {
    this.#config = config
    this.#logger = logger
    this.#failed = failed
    this.#limits = new PrimaryLimits(config)
  }

  async start(): Promise<void> {
    const { store, workers } = this.#config
    if (storeKind(store) !== 'redis') {
      const log = await openEmbeddedLog(this.#config)
      this.#log = log
      this.#logServer = await LogServer.listen(log)
    }
    cluster.setupPrimary({ exec: process.argv[1] as string, args: ['serve'], serialization: 'advanced' })
    // The first one alone: an address that is in use is one error, and not one of each worker.
    this.urls = await this.#fork(1)
    await Promise.all(Array.from({ length: workers - 1 }, (_, at) => this.#fork(at + 2)))
  }

  async reload(config: Config): Promise<void> {
    checkReload(config, this.#config)
    checkConfig(config)
    await this.#log?.retain(config.retention)
    this.#limits.adjust(config)
    const { host, listen } = this.#config
    // A worker that starts from now on begins with the new options.
    this.#config = { ...config, host, listen }
    await Promise.all(this.#started.map(({ channel }) => channel.ask('reload', config)))
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  async #stop(): Promise<void> {
    await Promise.all([...this.#workers.values()].map((running) => this.#end(running)))
    await this.#logServer?.close()
    await this.#log?.close()
  }

  async #end({ worker, channel }: RunningWorker): Promise<void> {
    if (worker.isDead()) return
    const gone = once(worker, 'exit')
    channel.ask('stop').catch(() => worker.kill('SIGKILL'))
    const timer = setTimeout(() => worker.kill('SIGKILL'), this.#config.drainTimeout + graceMs)
    await gone
    clearTimeout(timer)
  }

  get #started(): RunningWorker[] {
    return [...this.#workers.values()].filter(({ isStarted }) => isStarted)
  }

  /** Starts a worker, and resolves with its URLs when it listens. */
  #fork(number: number): Promise<readonly string[]> {
    const worker = cluster.fork()
    return new Promise((resolve, reject) => {
      const streams = new Set<number>()
      const started = (urls: readonly string[]) => {
        running.isStarted = true
        resolve(urls)
      }
      const failed = ({ message, ...more }: StartError) => reject(Object.assign(new Error(message), more))
      const channel = new Channel<WorkerMethods>(worker, this.#methods(number, streams, started, failed))
      const running: RunningWorker = { worker, number, channel, streams, isStarted: false }
      this.#workers.set(number, running)
      worker.once('exit', (code, signal) => {
        channel.close('the worker has ended')
        for (const stream of streams) this.#limits.leave(stream)
        this.#workers.delete(number)
        if (running.isStarted) this.#replace(number, signal ?? code)
        else reject(new Error(`worker ${number} ended before it listened (${signal ?? code})`))
      })
    })
  }

  #replace(number: number, reason: string | number): void {
    if (this.#stopped !== undefined) return
    this.#logger.error({ number, reason }, 'a worker has ended, and another one is started')
    const now = performance.now()
    this.#crashes.push(now)
    const recent = this.#crashes.filter((at) => now - at < crashWindowMs)
    this.#crashes.splice(0, this.#crashes.length, ...recent)
    if (recent.length > maxCrashes) this.#giveUp(`${recent.length} workers have ended within ten seconds`)
    else this.#fork(number).catch((error: Error) => this.#giveUp(error.message))
  }

  #giveUp(why: string): void {
    if (this.#stopped !== undefined) return
    this.#logger.fatal(why)
    this.#failed()
  }

  #methods(
    number: number,
    streams: Set<number>,
    started: PrimaryMethods['started'],
    failed: PrimaryMethods['failed']
  ): PrimaryMethods {
    return {
      begin: () => ({ config: this.#config, number, logPath: this.#logServer?.path }),
      started,
      failed,
      enter: async (address, subject, isPaced) => {
        const stream = await this.#limits.enter(address, subject, isPaced)
        streams.add(stream)
        return stream
      },
      leave: (stream) => {
        streams.delete(stream)
        this.#limits.leave(stream)
      },
      publish: (address, subject) => this.#limits.publish(address, subject),
      metrics: async () => {
        const ofWorkers = await Promise.all(this.#started.map(({ channel }) => channel.ask('metrics')))
        return combineMetrics([await this.#metrics.values(), ...ofWorkers])
      },
      describe: async (limit) => {
        const all = await Promise.all(this.#started.map(({ channel }) => channel.ask('describe', limit)))
        return combineDescriptions(all, limit)
      }
    }
  }
}
