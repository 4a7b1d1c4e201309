// Remembers the newest updates of a member, so that what arrives by history and by the shared stream is delivered once.

const maxIds = 10_000

export class Deduplication {
  readonly #ids = new Set<string>()

  /** Whether this update was not delivered before. An event without an id always is new. */
  isNew(id: string | undefined): boolean {
    if (id === undefined) return true
    if (this.#ids.has(id)) return false
    this.#ids.add(id)
    const [oldest = ''] = this.#ids
    if (this.#ids.size > maxIds) this.#ids.delete(oldest)
    return true
  }
}
