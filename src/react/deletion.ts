// Which of the received updates a deletion covers.
import type { Deletion, Update } from '../client/index.ts'

/** The updates that remain. They are in the order of the hub, and were received before the deletion was announced. */
export function withoutDeleted<T>(updates: readonly Update<T>[], deletion: Deletion): readonly Update<T>[] {
  const { topics, through, id } = deletion
  if (through === undefined) {
    // If an id was used several times, the hub deletes the oldest update.
    const at = updates.findIndex((update) => update.id === id)
    return at < 0 ? updates : updates.toSpliced(at, 1)
  }
  // An update that was published while the hub made the deletion is not deleted, but comes before the announcement.
  const firstLater = updates.findIndex((update) => isLater(update.id, through))
  const end = firstLater < 0 ? updates.length : firstLater
  const names = new Set(topics)
  return updates.filter((update, at) => at >= end || !update.topics.some((topic) => names.has(topic)))
}

/** Whether both are ids that the hub made in the same epoch, and the first has the greater offset. */
function isLater(id: string | undefined, through: string): boolean {
  const [epoch, offset] = partsOf(id)
  const [epochOfThrough, offsetOfThrough] = partsOf(through)
  return epoch !== undefined && epoch === epochOfThrough && offset > offsetOfThrough
}

/** The epoch and the offset of an id such as `#91mr3tbe-2s`. An id that a publisher made has neither. */
function partsOf(id = ''): readonly [epoch: string | undefined, offset: number] {
  const [, epoch, offset = ''] = /^#([0-9a-z]+)-([0-9a-z]+)$/.exec(id) ?? []
  return [epoch, Number.parseInt(offset, 36)]
}
