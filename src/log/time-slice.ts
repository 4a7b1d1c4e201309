// Limits how long a scan may block the event loop.

/** Duration of a slice in milliseconds. */
const sliceMs = 2
/** Entries between two checks of the clock: a check costs as much as a cheap filter. */
const every = 32
/** Entries that a slice has at least: on a busy machine the clock runs while the process does not. */
const minEntries = 256

/** Measures time, not entries: one filter takes a hundred times as long as another. */
export class TimeSlice {
  readonly #end = performance.now() + sliceMs
  #entries = 0

  /** Whether the slice is over. Called after each entry. */
  get isOver(): boolean {
    return ++this.#entries % every === 0 && this.#entries >= minEntries && performance.now() >= this.#end
  }
}
