// The options of RedisLog.
import type { TidingsError } from '../../errors.ts'
import type { RetentionRule } from '../retention/rules.ts'

export interface RedisLogOptions {
  /**
   * Where Redis is: `redis://` or `rediss://`, user and password, host, port, number of the database; `redis+sentinel://` with the
   * sentinels and the master's name, or `redis+cluster://` with some of the cluster's servers.
   */
  url: string
  /** With `name`, what every key of the log begins with: `{prefix:name}`. Default `tidings`. */
  prefix?: string
  /** Which log, where several share a prefix. Default `log`. */
  name?: string
  /** What is kept for how long, for all nodes: the rules that were set last hold. Default: everything. */
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
