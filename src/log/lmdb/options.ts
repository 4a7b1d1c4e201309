// With what an LmdbLog is opened. It opens none.

import type { Covers, RetentionRule } from '../retention/rules.ts'
import type { Durability } from './store.ts'

export interface LmdbLogOptions {
  /** The folder to keep the log in; made where there is none. One process at a time may use it. */
  path: string
  /**
   * `flush`, the default: what was answered survives a crash of the machine. `os`: the system has it, and writes it when it
   * likes, so that answers come sooner. But after an end without `close()` nobody can say what it still held back: the log
   * then begins anew, empty and with another epoch, so that no cursor is wrongly trusted.
   */
  durability?: Durability
  /** What is kept for how long; the first rule that covers an entry's first topic decides. Default: everything. */
  retention?: readonly RetentionRule[]
  /** Whether a selector of a rule covers a topic. */
  covers: Covers
  /** The clock, in milliseconds since 1970; default `Date.now`. */
  now?: () => number
}
