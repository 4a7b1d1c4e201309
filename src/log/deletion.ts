// Deletions that are in progress: their entries are gone for readers, but may still occupy storage.
import { TidingsError } from '../errors.ts'

/** Entries to delete: those with one of the topics, in a range of offsets. */
export interface Deletion {
  /** The epoch of the offsets. In another one, nothing is deleted. */
  readonly epoch: string
  readonly topics: readonly string[]
  /** The first offset of the range. */
  readonly from: number
  /** The last offset of the range. */
  readonly through: number
}

/** Deletions at a time. Beyond, a further one is refused with `deletions_too_many`: each read compares entries with all of them. */
export const maxDeletions = 20

/** @throws TidingsError `log_unavailable` when the log has started over since the deletion was made */
export function checkDeletion({ epoch }: Deletion, current: string): void {
  if (epoch !== current) throw new TidingsError('log_unavailable', 'the log has started over; nothing was deleted')
}

interface Compiled extends Deletion {
  readonly names: ReadonlySet<string>
}

/** Immutable. Answers whether an entry is deleted; most of the time there is no deletion in progress. */
export class Deletions {
  static readonly none = new Deletions([])
  readonly all: readonly Deletion[]
  readonly #compiled: readonly Compiled[]

  constructor(all: readonly Deletion[]) {
    this.all = all
    this.#compiled = all.map((deletion) => ({ ...deletion, names: new Set(deletion.topics) }))
  }

  get isEmpty(): boolean {
    return this.all.length === 0
  }

  covers(offset: number, topics: readonly string[]): boolean {
    return this.#compiled.some((deletion) => isIn(deletion, offset, topics))
  }

  with(deletion: Deletion): Deletions {
    return new Deletions([...this.all, deletion])
  }

  without(deletion: Deletion): Deletions {
    const all = this.all.filter((other) => other !== deletion)
    return all.length > 0 ? new Deletions(all) : Deletions.none
  }
}

function isIn({ from, through, names }: Compiled, offset: number, topics: readonly string[]): boolean {
  return offset >= from && offset <= through && topics.some((topic) => names.has(topic))
}
