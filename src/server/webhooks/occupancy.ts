// Counts the subscribers of each selector, and reports when a selector gets its first one and when it has lost its last one.

/** How long a selector has to be without subscribers, in milliseconds: a client that reconnects has not left. */
const graceMs = 1_000

/** `time` is when the first subscriber came or the last one left, in milliseconds since 1970. */
type Report = (event: 'topic-occupied' | 'topic-vacated', selector: string, time: number) => void

export class Occupancy {
  readonly #counts = new Map<string, number>()
  /** Selectors whose last subscriber has left, the longest empty first. */
  readonly #leaving = new Map<string, { readonly left: number; readonly due: number }>()
  readonly #report: Report
  #timer: NodeJS.Timeout | undefined

  constructor(report: Report) {
    this.#report = report
  }

  enter(selectors: Iterable<string>): void {
    for (const selector of new Set(selectors)) {
      const count = this.#counts.get(selector) ?? 0
      this.#counts.set(selector, count + 1)
      if (count === 0 && !this.#leaving.delete(selector)) this.#report('topic-occupied', selector, Date.now())
    }
  }

  leave(selectors: Iterable<string>): void {
    for (const selector of new Set(selectors)) {
      const count = (this.#counts.get(selector) ?? 0) - 1
      if (count > 0) this.#counts.set(selector, count)
      else this.#vacate(selector)
    }
  }

  /** Reports the empty selectors at once, because the server stops. */
  finish(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#reportUntil(Number.POSITIVE_INFINITY)
  }

  #vacate(selector: string): void {
    this.#counts.delete(selector)
    this.#leaving.set(selector, { left: Date.now(), due: performance.now() + graceMs })
    this.#arm()
  }

  /** One timer is enough: selectors become due in the order in which they were added. */
  #arm(): void {
    if (this.#timer !== undefined) return
    const [next] = this.#leaving.values()
    if (!next) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#reportUntil(performance.now())
      this.#arm()
    }, next.due - performance.now()).unref()
  }

  #reportUntil(now: number): void {
    for (const [selector, { left, due }] of this.#leaving) {
      if (due > now) return
      this.#leaving.delete(selector)
      this.#report('topic-vacated', selector, left)
    }
  }
}
