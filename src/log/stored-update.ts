// An update as LMDB stores it and workers send it: a list without names, whose last fields are left out when they have no value.
import type { Update } from '../update.ts'

export type StoredUpdate = [time: number, topics: readonly string[], data: string, ...rest: unknown[]]

export function toStored(time: number, update: Update): StoredUpdate {
  const { topics, data, type, id, retry, private: isPrivate, end } = update
  const rest = [type, id, retry, isPrivate, end]
  while (rest.length > 0 && rest.at(-1) === undefined) rest.pop()
  return [time, topics, data, ...rest]
}

/** A value without a field is stored as null when a later field has one. */
export function fromStored([time, topics, data, ...rest]: StoredUpdate): { time: number; update: Update } {
  if (rest.length === 0) return { time, update: { topics, data } }
  const [type, id, retry, isPrivate, end] = rest
  const update = {
    topics,
    data,
    ...(type != null && { type }),
    ...(id != null && { id }),
    ...(retry != null && { retry }),
    ...(isPrivate != null && { private: isPrivate }),
    ...(end != null && { end })
  } as Update
  return { time, update }
}
