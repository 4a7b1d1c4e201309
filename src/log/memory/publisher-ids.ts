// Where the ids that publishers gave can be found: the oldest kept entry that bears each. It knows nothing but ids and offsets.

/** Ids and the offsets that bear them. Most ids are borne once, so a lone offset is kept without a list around it. */
export class PublisherIds {
  readonly #offsets = new Map<string, number | number[]>()

  /** Offsets must come in rising order. */
  add(id: string, offset: number): void {
    const known = this.#offsets.get(id)
    if (known === undefined) this.#offsets.set(id, offset)
    else if (typeof known === 'number') this.#offsets.set(id, [known, offset])
    else known.push(offset)
  }

  remove(id: string, offset: number): void {
    const known = this.#offsets.get(id)
    if (!Array.isArray(known) || known.length === 1) this.#offsets.delete(id)
    else if (known[0] === offset) known.shift()
    else known.splice(known.indexOf(offset), 1)
  }

  oldest(id: string): number | undefined {
    const known = this.#offsets.get(id)
    return Array.isArray(known) ? known[0] : known
  }
}
