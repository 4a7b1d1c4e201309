// Counts times in steps of one per cent, so that millions of them take no room. It measures nothing.

const ratio = Math.log(1.01)
/** The shortest time that is told apart, in milliseconds. */
const least = 0.001

export class Histogram {
  readonly #counts: number[] = []
  count = 0
  max = 0

  add(milliseconds: number): void {
    const step = Math.max(0, Math.ceil(Math.log(milliseconds / least) / ratio))
    this.#counts[step] = (this.#counts[step] ?? 0) + 1
    this.count++
    if (milliseconds > this.max) this.max = milliseconds
  }

  /** The time within which such a part was, at most one per cent too long; 0 where there is none. */
  quantile(part: number): number {
    let left = Math.ceil(this.count * part)
    for (const [step, count = 0] of this.#counts.entries()) {
      left -= count
      if (left <= 0 && this.count > 0) return Math.min(this.max, least * Math.exp(step * ratio))
    }
    return 0
  }
}
