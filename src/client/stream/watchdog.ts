// Notices that a stream is silent for too long. Both clocks count: the monotonic one may stop while a device sleeps, and the
// other one may be set back.

export class Watchdog {
  readonly #stalled: () => void
  #limitMs: number
  #timer: ReturnType<typeof setTimeout> | undefined
  #steadyAt = 0
  #wallAt = 0

  /** @param limitMs longest silence in milliseconds; 0 for no limit @param stalled called once the limit is exceeded */
  constructor(limitMs: number, stalled: () => void) {
    this.#limitMs = limitMs
    this.#stalled = stalled
    this.seen()
  }

  set limitMs(limitMs: number) {
    this.#limitMs = limitMs
    this.seen()
    this.stop()
    this.check()
  }

  /** Something has arrived. */
  seen(): void {
    this.#steadyAt = performance.now()
    this.#wallAt = Date.now()
  }

  /** While a consumer is busy, the stream is silent because it is not read. */
  async pauseDuring(work: Promise<void>): Promise<void> {
    this.stop()
    await work
    this.seen()
    this.check()
  }

  /** Checks the silence now, and again when the limit may be reached. */
  check = (): void => {
    this.stop()
    if (this.#limitMs === 0) return
    const silence = Math.max(performance.now() - this.#steadyAt, Date.now() - this.#wallAt)
    if (silence >= this.#limitMs) this.#stalled()
    // A timer may pause while a device sleeps, so it is short.
    else this.#timer = setTimeout(this.check, Math.min(this.#limitMs - silence + 1, 5_000))
  }

  stop(): void {
    clearTimeout(this.#timer)
  }
}
