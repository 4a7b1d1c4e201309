// A worker process: a whole server, whose log, limits and figures it shares with the other workers through the primary process.
import type { Socket } from 'node:net'
import { describeHub } from '../../http/description.ts'
import { WorkerLog } from '../../log/workers/log.ts'
import { removeSocket } from '../../log/workers/socket-path.ts'
import { type Receiver, receive } from '../listen.ts'
import { createLogger, type Logger, logObserver } from '../logger.ts'
import { type Server, startServer } from '../server.ts'
import type { PassedConnection } from './acceptor.ts'
import { Channel } from './channel.ts'
import { WorkerLimits } from './limits.ts'
import type { PrimaryMethods, WorkerMethods, WorkerStart } from './messages.ts'

/** How long the end of the primary process may take to be noticed after that of its log, in milliseconds. */
const disconnectMs = 200

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
  readonly #receivers: Receiver[] = []
  #isStopping = false

  constructor() {
    const methods: WorkerMethods = {
      reload: async (config, origins) => {
        await this.#running.reload(config, origins)
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
      const { message, code } = error as NodeJS.ErrnoException
      await this.#primary.ask('failed', { message, code })
      process.exit(1)
    }
    process.on('message', (message: PassedConnection, socket?: Socket) => {
      if (message.tidings === 'connection') this.#take(message, socket)
    })
    await this.#primary.ask('started')
  }

  /** Without a socket, the client has disconnected on the way. */
  #take({ id, listener }: PassedConnection, socket: Socket | undefined): void {
    this.#primary.ask('taken', id).catch(() => {})
    if (socket) this.#receivers[listener]?.accept(socket)
  }

  /** Ends all streams over the drain timeout, and then the process. */
  stop(): void {
    if (this.#isStopping) return
    this.#isStopping = true
    this.#primary.ask('stopping').catch(() => {})
    const stopped = this.#server?.stop() ?? Promise.resolve()
    void stopped.finally(() => process.exit())
  }

  get #running(): Server {
    if (!this.#server) throw new Error('the worker has not started')
    return this.#server
  }

  #serve({ config, origins, number, urls, logPath }: WorkerStart): Promise<Server> {
    const logger = createLogger(config).child({ worker: number })
    this.#logger = logger
    const onLost = (reason: string) => {
      if (this.#isStopping) return
      logger.error(`the log of the primary process is lost: ${reason}`)
      // Its clients reconnect to another worker, and resume. If the primary process is gone, node:cluster ends this one.
      setTimeout(() => process.exit(1), disconnectMs)
    }
    // A primary process that was killed leaves the folder of its socket.
    if (logPath !== undefined) process.on('exit', () => process.connected || removeSocket(logPath))
    return startServer(config, logObserver(logger), {
      listen: async (_address, options, serve) => {
        const receiver = receive(urls[this.#receivers.length] as string, options, serve)
        this.#receivers.push(receiver)
        return receiver
      },
      ...(logPath !== undefined && { openLog: () => WorkerLog.connect({ path: logPath, onLost }) }),
      origins,
      worker: number,
      limits: new WorkerLimits(config, this.#primary),
      describe: (limit) => this.#primary.ask('describe', limit),
      metricsText: () => this.#primary.ask('metrics')
    })
  }
}
