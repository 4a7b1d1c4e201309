// Starts the server of `tidings serve` inside the test process, for tests that need none of its signals, its exit or its
// standard output. A process costs half a second of processor time, and this a few milliseconds.
import { Writable } from 'node:stream'
import { parseArgs } from 'node:util'
import { OptionError } from '../../../dist/index.js'
import { configure, nameIn, readSources, type Sources } from '../../../dist/server/config/config.js'
import { flagFor, options } from '../../../dist/server/config/options.js'
import { originsOf } from '../../../dist/server/dashboard/option-rows.js'
import { createLogger, logObserver } from '../../../dist/server/logger.js'
import { startServer } from '../../../dist/server/server.js'

export interface LocalServer {
  readonly url: string
  readonly port: number
  /** Everything it has logged. */
  output(): string
  /** Ends its streams and releases everything. Can be called twice. */
  stop(): Promise<void>
}

export interface ServerOptions {
  readonly port?: number
  /** Flags of `tidings serve`. */
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** Resolves when the server listens; rejects with the reason, which names options as `tidings serve` does. */
export async function startInProcess({ port = 0, args = [], env = {} }: ServerOptions = {}): Promise<LocalServer> {
  const flags = flagsOf(['--port', String(port), ...args])
  // Streams end at once on shutdown, unless a test sets another drain timeout.
  const read = () => readSources(flags, { ...process.env, TIDINGS_DRAIN_TIMEOUT: '0', ...env })
  const sources = read()
  const config = await named(sources, () => configure(sources))
  let output = ''
  const out = new Writable({
    write(chunk: Buffer, _, done) {
      output += chunk
      done()
    }
  })
  const server = await named(sources, () =>
    startServer(config, logObserver(createLogger(config, out)), { origins: originsOf(sources) })
  )
  const url = server.urls.find((one) => one.startsWith('http')) as string
  return {
    url,
    port: Number(new URL(url).port),
    output: () => output,
    stop: () => server.stop()
  }
}

function flagsOf(args: readonly string[]): Record<string, unknown> {
  const named = options.map(({ name, kind }) => ({ name, flag: flagFor(name).slice(2), kind }))
  const types = named.map(({ flag, kind }) => [flag, { type: kind === 'switch' ? 'boolean' : 'string' }] as const)
  const takesValue = new Set(types.flatMap(([flag, { type }]) => (type === 'string' ? [`--${flag}`] : [])))
  // A value may begin with a dash, as a PEM key does.
  const joined = args.flatMap((arg, at) => {
    if (takesValue.has(args[at - 1] ?? '')) return []
    return takesValue.has(arg) ? [`${arg}=${args[at + 1]}`] : [arg]
  })
  const { values } = parseArgs({ args: joined, options: Object.fromEntries(types) })
  return Object.fromEntries(named.flatMap(({ name, flag }) => (flag in values ? [[name, values[flag]]] : [])))
}

/** Names the options of an error by the flag, the variable or the file that set them. */
async function named<Result>(sources: Sources, work: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    throw error instanceof OptionError ? new Error(error.describe(nameIn(sources))) : error
  }
}
