// Says what was lost: the first time at once, and then in sum, at most once a minute. It does not know what it was.

const minuteMs = 60_000

export class DropReporter {
  readonly #where: string
  readonly #say: (error: Error) => void
  #events = 0
  #why = ''
  #timer: NodeJS.Timeout | undefined

  constructor(where: string, say: (error: Error) => void) {
    this.#where = where
    this.#say = say
  }

  add(events: number, why: string): void {
    this.#events += events
    this.#why = why
    if (this.#timer === undefined) this.#tell()
  }

  /** Says what has not been said yet. */
  finish(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#events > 0) this.#tell()
    clearTimeout(this.#timer)
  }

  #tell(): void {
    const error = new Error(`${this.#where}: ${this.#events} events were lost: ${this.#why}`)
    // Where in our code it happened tells nobody anything.
    error.stack = error.message
    this.#events = 0
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      if (this.#events > 0) this.#tell()
    }, minuteMs).unref()
    this.#say(error)
  }
}
