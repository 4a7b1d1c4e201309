// A histogram of times with a precision of one per cent, so that millions of them need little memory.

const ratio = Math.log(1.01)
/** The shortest time that is distinguished, in milliseconds. */
const minTime = 0.001

export class Histogram {
  readonly #counts: number[] = []
  count = 0
  max = 0

  add(milliseconds: number): void {
    const step = Math.max(0, Math.ceil(Math.log(milliseconds / minTime) / ratio))
    this.#counts[step] = (this.#counts[step] ?? 0) + 1
    this.count++
    if (milliseconds > this.max) this.max = milliseconds
  }

  /** The time below which this part of all times lies, up to one per cent too long; 0 if there are none. */
  quantile(part: number): number {
    let left = Math.ceil(this.count * part)
    for (const [step, count = 0] of this.#counts.entries()) {
      left -= count
      if (left <= 0 && this.count > 0) return Math.min(this.max, minTime * Math.exp(step * ratio))
    }
    return 0
  }
}
