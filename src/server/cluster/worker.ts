// A worker process: a whole server, whose log, limits and figures it shares with the other workers through the primary process.
import { describeHub } from '../../http/description.ts'
import { WorkerLog } from '../../log/workers/log.ts'
import { createLogger, type Logger, logObserver } from '../logger.ts'
import { type Server, startServer } from '../server.ts'
import { Channel } from './channel.ts'
import { WorkerLimits } from './limits.ts'
import type { PrimaryMethods, WorkerMethods, WorkerStart } from './messages.ts'

/** Runs until the primary process asks this one to stop, or is gone. */
export async function runWorker(): Promise<void> {
  const worker = new Worker()
  // The primary process decides when all of them stop. A terminal sends its signals to each.
  for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {})
  process.on('SIGTERM', () => worker.stop())
  await worker.start()
}

class Worker {
  readonly #primary: Channel<PrimaryMethods>
  #server: Server | undefined
  #logger: Logger | undefined
  #isStopping = false

  constructor() {
    const methods: WorkerMethods = {
      reload: async (config) => {
        await this.#running.reload(config)
        if (this.#logger) this.#logger.level = config.logLevel
      },
      stop: () => this.stop(),
      metrics: () => this.#running.metrics.values(),
      describe: (limit) => describeHub(this.#running.hub, limit)
    }
    this.#primary = new Channel(process, methods)
  }

  async start(): Promise<void> {
    const start = await this.#primary.ask('begin')
    try {
      this.#server = await this.#serve(start)
    } catch (error) {
      const { message, code, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number }
      await this.#primary.ask('failed', { message, code, address, port })
      process.exit(1)
    }
    await this.#primary.ask('started', [...this.#server.urls])
  }

  /** Ends all streams over the drain timeout, and then the process. */
  stop(): void {
    if (this.#isStopping) return
    this.#isStopping = true
    const stopped = this.#server?.stop() ?? Promise.resolve()
    void stopped.finally(() => process.exit())
  }

  get #running(): Server {
    if (!this.#server) throw new Error('the worker has not started')
    return this.#server
  }

  #serve({ config, number, logPath }: WorkerStart): Promise<Server> {
    const logger = createLogger(config).child({ worker: number })
    this.#logger = logger
    const onLost = (reason: string) => {
      if (this.#isStopping) return
      logger.error(`the log of the primary process is lost: ${reason}`)
      // Its clients reconnect to another worker, and resume.
      process.exit(1)
    }
    return startServer(config, logObserver(logger), {
      ...(logPath !== undefined && { openLog: () => WorkerLog.connect({ path: logPath, onLost }) }),
      limits: new WorkerLimits(config, this.#primary),
      describe: (limit) => this.#primary.ask('describe', limit),
      metricsText: () => this.#primary.ask('metrics')
    })
  }
}
