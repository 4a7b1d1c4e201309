// Reports lost webhook events: the first loss at once, later ones as a sum, at most once a minute.

const minuteMs = 60_000

export class DropReporter {
  readonly #target: string
  readonly #report: (error: Error) => void
  #events = 0
  #why = ''
  #timer: NodeJS.Timeout | undefined

  constructor(target: string, report: (error: Error) => void) {
    this.#target = target
    this.#report = report
  }

  add(events: number, why: string): void {
    this.#events += events
    this.#why = why
    if (this.#timer === undefined) this.#flush()
  }

  /** Reports the losses that have not been reported yet. */
  finish(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#events > 0) this.#flush()
    clearTimeout(this.#timer)
  }

  #flush(): void {
    const error = new Error(`${this.#target}: ${this.#events} events were lost: ${this.#why}`)
    // The error is a message for operators; its stack would not help them.
    error.stack = error.message
    this.#events = 0
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      if (this.#events > 0) this.#flush()
    }, minuteMs).unref()
    this.#report(error)
  }
}
