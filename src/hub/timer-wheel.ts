// One timer for the heartbeats and deadlines of all streams.

/** A task that is visited from time to time. */
export interface Timed {
  /** The slot that it waits in. Only the wheel sets it. */
  slot: Set<Timed> | undefined
  /** Does what is due, and returns the milliseconds until the next visit. */
  visit(now: number): number
}

const slots = 256

/**
 * A ring of slots, one of which is visited at each tick. A task is visited at its time or up to one tick later. A task with a longer
 * delay than one turn of the ring is visited early, and asks again.
 */
export class TimerWheel {
  readonly #ring: Set<Timed>[] = Array.from({ length: slots }, () => new Set())
  readonly #tick: number
  readonly #now: () => number
  #at = 0
  #size = 0
  #timer: NodeJS.Timeout | undefined

  /** @param tick milliseconds between two slots @param now the clock that is passed to tasks */
  constructor(tick: number, now: () => number) {
    this.#tick = tick
    this.#now = now
  }

  /** Visits a task after so many milliseconds. */
  add(task: Timed, delay: number): void {
    if (!task.slot?.delete(task)) this.#size++
    const ticks = Math.min(slots - 1, Math.max(1, Math.ceil(delay / this.#tick)))
    task.slot = this.#ring[(this.#at + ticks) % slots] as Set<Timed>
    task.slot.add(task)
    this.#timer ??= setInterval(this.#turn, this.#tick)
  }

  remove(task: Timed): void {
    if (!task.slot?.delete(task)) return
    task.slot = undefined
    if (--this.#size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  readonly #turn = (): void => {
    this.#at = (this.#at + 1) % slots
    const due = this.#ring[this.#at] as Set<Timed>
    this.#ring[this.#at] = new Set()
    const now = this.#now()
    for (const task of due) {
      const delay = task.visit(now)
      // A visit may have removed the task.
      if (task.slot === due) this.add(task, delay)
    }
  }
}
