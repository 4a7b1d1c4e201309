// The keys under which an LmdbLog finds things by their topic or id, however long those are. It knows no LMDB.
import { createHash } from 'node:crypto'
import type { Update } from '../../update.ts'

/** LMDB's own bound is 1,978 bytes; a UTF-16 unit is at most three. */
const maxKey = 600

/** Where the offsets of entries with this first topic are; alternates are apart, for they supersede nothing. */
export const canonicalPlace = (topic: string): string => place('c', topic)
export const alternatePlace = (topic: string): string => place('a', topic)
export const idPlace = (id: string): string => place('i', id)
export const memberPlace = (topic: string): string => place('m', topic)

/** A key for a text of any kind. */
export function place(kind: string, text: string): string {
  if (text.length <= maxKey && !text.includes('\0')) return kind + text
  // Only what is too long for a key, or what LMDB would take for its end, is known by its hash.
  return kind.toUpperCase() + createHash('sha256').update(text).digest('hex')
}

/** All places of an update, each once. */
export function placesOf({ topics, id }: Update): string[] {
  const places = topics.map((topic, at) => (at === 0 ? canonicalPlace(topic) : alternatePlace(topic)))
  if (id !== undefined) places.push(idPlace(id))
  return [...new Set(places)]
}
