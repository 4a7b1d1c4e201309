// Limits how long a scan may block the event loop.

/** Duration of a slice in milliseconds. */
const sliceMs = 2
/** Entries between two checks of the clock: a check costs as much as a cheap filter. */
const every = 32

/** Measures time, not entries: one filter takes a hundred times as long as another. */
export class TimeSlice {
  readonly #end = performance.now() + sliceMs
  #looked = 0

  /** Whether the slice is over. Called after each entry. */
  get isOver(): boolean {
    return ++this.#looked % every === 0 && performance.now() >= this.#end
  }
}
