// Says when a scan that runs on the event loop has to let others have their turn. It waits for nothing itself.

/** How long one slice may take, in milliseconds. */
const sliceMs = 2
/** Entries between two looks at the clock, a power of two: a look costs as much as a cheap filter. */
const every = 32

/** Counts by work rather than by entries: one filter takes a hundred times as long as another. */
export class TimeSlice {
  readonly #end = performance.now() + sliceMs
  #looked = 0

  /** To be asked after each entry. */
  get isOver(): boolean {
    return ++this.#looked % every === 0 && performance.now() >= this.#end
  }
}
