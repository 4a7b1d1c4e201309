// The options of LmdbLog.
import type { LogError } from '../error.ts'
import type { RetentionRule } from '../retention/rules.ts'

/** When an append is answered: `flush` after it is on disk, `os` after the operating system has it. */
export type Durability = 'flush' | 'os'

export interface LmdbLogOptions {
  /** The folder of the log, which is created when it is missing. One process at a time may use it. */
  path: string
  /**
   * Default `flush`: what was acknowledged survives a crash of the machine. `os` answers sooner; but after an end without `close()` nobody
   * knows what the system had written, so the log starts over, empty and with a new epoch.
   */
  durability?: Durability
  /** What is kept of which topics. Default: everything. */
  retention?: readonly RetentionRule[]
  /**
   * Called once, after an error with which the log stops: the disk failed, or another process used the folder. Each later append is rejected
   * with the same error. Retention meets such an error while nobody publishes.
   */
  failed?: (error: LogError) => void
  /** A clock in milliseconds since 1970. Default: `Date.now`. */
  now?: () => number
}
