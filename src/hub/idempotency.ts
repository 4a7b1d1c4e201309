// By what a repeated update is known again: the key that its publisher gives, or else its own id. It remembers nothing; the log does.
import { createHash } from 'node:crypto'
import { TidingsError } from '../errors.ts'
import type { DedupKey, DedupOptions } from '../log/log.ts'
import type { Update } from '../update.ts'

export interface PublishOptions {
  /** By what these updates are known when they come again, instead of by their ids: 1 to 256 bytes. */
  readonly key?: string | undefined
  /** Whose key it is: equal keys of two publishers are two keys. */
  readonly publisher?: string | undefined
}

const maxBytes = 256
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters it exists to find
const control = /[\0-\x1f\x7f]/

/**
 * What the log is asked to append only once; undefined where nothing says so.
 * @throws TidingsError `key_invalid`
 */
export function dedupOptionsFor(
  updates: readonly Update[],
  { key, publisher }: PublishOptions,
  ttlMs: number
): DedupOptions | undefined {
  if (ttlMs === 0) return undefined
  const keys = key === undefined ? updates.map(keyFromId) : keysFromHeader(updates, key, publisher)
  return keys.some((dedupKey) => dedupKey !== undefined) ? { keys, ttlMs } : undefined
}

function keyFromId(update: Update): DedupKey | undefined {
  return update.id === undefined ? undefined : { key: digest(['id', update.id]), fingerprint: digest(update) }
}

/** One key for all of them: whoever repeats it has to repeat all. */
function keysFromHeader(updates: readonly Update[], key: string, publisher: string | undefined): DedupKey[] {
  check(key)
  const fingerprint = digest(updates)
  return updates.map((_, at) => ({ key: digest(['key', publisher ?? null, key, at]), fingerprint }))
}

function check(key: string): void {
  const refuse = (why: string): never => {
    throw new TidingsError('key_invalid', why)
  }
  if (typeof key !== 'string' || key === '') refuse('it is empty; leave it out instead')
  if (!key.isWellFormed() || control.test(key)) refuse('it holds a control character, or is not well-formed Unicode')
  const bytes = Buffer.byteLength(key)
  if (bytes > maxBytes) refuse(`it has ${bytes} bytes, ${maxBytes} are allowed`)
}

/** 128 bits, which no two texts have in common unless somebody spends 2^64 steps on it, and then both are that somebody's own. */
function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('base64url').slice(0, 22)
}
