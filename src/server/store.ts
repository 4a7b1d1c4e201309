// Opens the log that a server's history lives in: in memory, in a folder, or in Redis.
import { OptionError } from '../errors.ts'
import { checkRedis, LmdbLog, MemoryLog, placeOf, RedisLog } from '../logs.ts'
import type { Config } from './config/options.ts'

/** One of our own logs. Their retention rules can change while they are in use. */
export type OwnLog = MemoryLog | LmdbLog | RedisLog

export interface StoreEvents {
  /** Redis cannot be reached. */
  readonly failed: (error: unknown) => void
  /** Advice on the configuration of Redis. */
  readonly warned: (message: string) => void
}

export async function openLog(config: Config, { failed, warned }: StoreEvents): Promise<OwnLog> {
  const { data, durability, log, retention } = config
  if (log !== '') return RedisLog.open({ ...redisOptions(config), retention, failed, warn: warned })
  return data === '' ? new MemoryLog({ retention }) : LmdbLog.open({ path: data, durability, retention })
}

function redisOptions({ log, logPrefix, logName }: Config) {
  return { url: log, prefix: logPrefix, name: logName }
}

/** The names that the server has for options of `RedisLog`. */
const serverNames = { url: 'log', prefix: 'logPrefix', name: 'logName' } as const

/**
 * Checks the options of Redis without connecting to it.
 * @throws OptionError, which does not quote the address: it may hold a password
 */
export function checkStore(config: Config): void {
  if (config.log === '') return
  try {
    checkRedis(redisOptions(config))
  } catch (error) {
    if (!(error instanceof OptionError)) throw error
    const name = serverNames[error.option as keyof typeof serverNames]
    throw new OptionError(name, error.detail, { cause: error })
  }
}

/** Where history lives, for people; without the password of Redis. */
export function historyOf({ log, data }: Config): string {
  if (log !== '') return `Redis at ${placeOf(log)}`
  return data === '' ? 'memory' : data
}
