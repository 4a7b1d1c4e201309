// Keeps commits apart from other processes that open the folder. A process that opens it reads the number of the newest transaction from the file,
// and stores it in the memory that all processes share, also for reading only. A commit in between would be lost: the next one would
// begin from the transaction before it.
import { within } from '../../../deadline.ts'
import { TidingsError } from '../../../errors.ts'

/** How long a commit waits for a process that opens the folder, which takes milliseconds unless that process is suspended. */
const limitMs = 10_000

export class CommitGate {
  #holds = 0
  #isCommitting = false
  #waiting: (() => void)[] = []

  /**
   * Commits when no other process opens the folder.
   * @throws TidingsError `log_unavailable` when one has not finished in time; nothing is committed then
   */
  async commit(work: () => Promise<void>): Promise<void> {
    while (this.#holds > 0) await within(limitMs, this.#changed(), refuse)
    this.#isCommitting = true
    try {
      await work()
    } finally {
      this.#isCommitting = false
      this.#wake()
    }
  }

  /** Waits for the end of a commit. Further ones wait until the returned function is called; it may be called twice. */
  async hold(): Promise<() => void> {
    this.#holds++
    let isHeld = true
    const release = () => {
      if (!isHeld) return
      isHeld = false
      this.#holds--
      this.#wake()
    }
    while (this.#isCommitting) await this.#changed()
    return release
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
    })
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

function refuse(): never {
  const what = 'a process that opens the folder, such as a backup, is suspended; continue or kill it'
  throw new TidingsError('log_unavailable', what)
}
