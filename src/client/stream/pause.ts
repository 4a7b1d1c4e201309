// A wait between two attempts, which ends early when there is a reason to try at once.
import { maxTimerMs } from '../token.ts'

export class Pause {
  #end = (): void => {}

  /** Resolves after so many milliseconds, or when `end` is called; Infinity waits for `end`. */
  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = ms <= maxTimerMs ? setTimeout(resolve, ms) : undefined
      this.#end = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  end(): void {
    this.#end()
  }
}
