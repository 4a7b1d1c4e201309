// Opens the log that a server's history lives in: in memory, in a folder, or in Redis.
import { OptionError } from '../errors.ts'
import { LmdbLog } from '../log/lmdb/log.ts'
import { MemoryLog } from '../log/memory/log.ts'
import { checkAddress } from '../log/redis/address.ts'
import { RedisLog } from '../log/redis/log.ts'
import type { Config } from './config/options.ts'
import { storeKind } from './config/store-value.ts'

/** One of our own logs. Their retention rules can change while they are in use. */
export type OwnLog = EmbeddedLog | RedisLog
type EmbeddedLog = MemoryLog | LmdbLog

export interface StoreEvents {
  /** Redis cannot be reached, or a folder cannot be written to any more. */
  readonly failed: (error: unknown) => void
  /** Advice on the configuration of Redis. */
  readonly warned: (message: string) => void
}

export async function openLog(config: Config, { failed, warned }: StoreEvents): Promise<OwnLog> {
  const { store, retention } = config
  if (storeKind(store) !== 'redis') return openEmbeddedLog(config, failed)
  return RedisLog.open({ ...redisOptions(config), retention, failed, warn: warned })
}

/** Opens a log that one process has, in memory or in a folder. */
export async function openEmbeddedLog(config: Config, failed: StoreEvents['failed']): Promise<EmbeddedLog> {
  const { store, durability, retention } = config
  if (storeKind(store) === 'memory') return new MemoryLog({ retention })
  return LmdbLog.open({ path: store, durability, retention, failed })
}

function redisOptions({ store, storePrefix, storeName }: Config) {
  return { url: store, prefix: storePrefix, name: storeName }
}

/** The names that the server has for options of `RedisLog`. */
const serverNames = { url: 'store', prefix: 'storePrefix', name: 'storeName' } as const

/**
 * Checks the options of Redis without connecting to it.
 * @throws OptionError, which does not quote the address: it may hold a password
 */
export function checkStore(config: Config): void {
  if (storeKind(config.store) !== 'redis') return
  try {
    checkAddress(redisOptions(config))
  } catch (error) {
    if (!(error instanceof OptionError)) throw error
    const name = serverNames[error.option as keyof typeof serverNames]
    throw new OptionError(name, error.detail, { cause: error })
  }
}
