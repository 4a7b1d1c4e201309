// The options of RedisLog.
import type { TidingsError } from '../../errors.ts'
import type { RetentionRule } from '../retention/rules.ts'

export interface RedisLogOptions {
  /**
   * The address of Redis: `redis://user:password@host:port/database`, or `rediss://` with TLS; `redis+sentinel://` with the sentinels
   * and the name of the master; `redis+cluster://` with some nodes of the cluster.
   */
  url: string
  /** With `name`, the beginning of every key: `{prefix:name}`. Default: `tidings`. */
  prefix?: string
  /** The name of the log, when several share a prefix. Default: `log`. */
  name?: string
  /** Retention rules for all nodes: the rules that were set last apply. Default: everything is kept. */
  retention?: readonly RetentionRule[]
  /** A clock in milliseconds since 1970 that replaces the one of Redis, for tests of an application. Default: the clock of Redis. */
  now?: () => number
  /** Called when Redis cannot be reached, at most once a second. */
  failed?: (error: TidingsError) => void
  /** Called at start with advice on the configuration of Redis, such as its `maxmemory-policy`. */
  warn?: (message: string) => void
  /** How long Redis may take to answer, in milliseconds. Default 5,000. */
  commandTimeout?: number
}
