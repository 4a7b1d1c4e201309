// Knows which selectors have subscribers, and says when the first comes and when the last has stayed away. It knows no
// subscriber and no address.

/** How long the last one has to stay away, in milliseconds: a client that reconnects has not gone. */
const graceMs = 1_000

/** `time` is when the last one left, in milliseconds since 1970. */
type Tell = (event: 'topic-occupied' | 'topic-vacated', selector: string, time: number) => void

export class Occupancy {
  readonly #counts = new Map<string, number>()
  /** Selectors whose last subscriber has left, and when; those that have waited longest come first. */
  readonly #leaving = new Map<string, { readonly left: number; readonly due: number }>()
  readonly #tell: Tell
  #timer: NodeJS.Timeout | undefined

  constructor(tell: Tell) {
    this.#tell = tell
  }

  enter(selectors: Iterable<string>): void {
    for (const selector of new Set(selectors)) {
      const count = this.#counts.get(selector) ?? 0
      this.#counts.set(selector, count + 1)
      if (count === 0 && !this.#leaving.delete(selector)) this.#tell('topic-occupied', selector, Date.now())
    }
  }

  leave(selectors: Iterable<string>): void {
    for (const selector of new Set(selectors)) {
      const count = (this.#counts.get(selector) ?? 0) - 1
      if (count > 0) this.#counts.set(selector, count)
      else this.#vacate(selector)
    }
  }

  /** Says at once what is still waited for: nobody comes any more. */
  finish(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#tellUntil(Number.POSITIVE_INFINITY)
  }

  #vacate(selector: string): void {
    this.#counts.delete(selector)
    this.#leaving.set(selector, { left: Date.now(), due: performance.now() + graceMs })
    this.#arm()
  }

  /** One timer for all of them: they fall due in the order in which they came. */
  #arm(): void {
    if (this.#timer !== undefined) return
    const [next] = this.#leaving.values()
    if (!next) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#tellUntil(performance.now())
      this.#arm()
    }, next.due - performance.now()).unref()
  }

  #tellUntil(now: number): void {
    for (const [selector, { left, due }] of this.#leaving) {
      if (due > now) return
      this.#leaving.delete(selector)
      this.#tell('topic-vacated', selector, left)
    }
  }
}
