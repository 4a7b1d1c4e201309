// Keys of the index for topics and ids of any length.

import { sha256 } from '../../digest.ts'
import type { Update } from '../../update.ts'

/** LMDB's limit is 1,978 bytes; a UTF-16 unit takes at most three. */
const maxKey = 600

/** The place of entries with this canonical topic. Alternates have places of their own, since they supersede nothing. */
export const canonicalPlace = (topic: string): string => place('c', topic)
export const alternatePlace = (topic: string): string => place('a', topic)
export const idPlace = (id: string): string => place('i', id)
export const memberPlace = (topic: string): string => place('m', topic)

/** A key for a text of any kind. */
export function place(kind: string, text: string): string {
  if (text.length <= maxKey && !text.includes('\0')) return kind + text
  // A text that is too long for a key, or contains what LMDB takes for its end, is replaced by its hash.
  return kind.toUpperCase() + sha256(text, 'hex')
}

/** The places of an update, each once. */
export function placesOf({ topics, id }: Update): string[] {
  const places = topics.map((topic, at) => (at === 0 ? canonicalPlace(topic) : alternatePlace(topic)))
  if (id !== undefined) places.push(idPlace(id))
  return [...new Set(places)]
}
