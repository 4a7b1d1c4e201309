// Opens the log that lives in a folder for those who name topics by selectors: gives a log, which knows no selector, the one
// function that does. It adds nothing else.
import type { LmdbLog as FolderLog, LmdbLogOptions as FolderLogOptions } from './log/lmdb.ts'
import { compile } from './topics/matcher.ts'

export type LmdbLogOptions = Omit<FolderLogOptions, 'covers'>

export type LmdbLog = FolderLog

/** A history in a folder, which outlasts the process. */
export const LmdbLog = {
  /**
   * Opens the log in a folder, or begins one.
   * @throws LogError when the folder cannot be used, is in use, or is damaged; RangeError for a bound that is none.
   */
  async open(options: LmdbLogOptions): Promise<LmdbLog> {
    // Not before it is asked for: who keeps history elsewhere needs no native code.
    const { LmdbLog: FolderLog } = await import('./log/lmdb.ts')
    return FolderLog.open({ ...options, covers: (selector, topic) => compile(selector).matches(topic) })
  }
}
