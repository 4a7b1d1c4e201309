// The deduplication keys of updates: the publisher's idempotency key, or the update's own id. The log remembers them.

import { sha256 } from '../digest.ts'
import { TidingsError } from '../errors.ts'
import type { DedupKey, DedupOptions } from '../log/log.ts'
import type { Update } from '../update.ts'

export interface PublishOptions {
  /** The idempotency key of these updates, 1 to 256 bytes. Default: the id of each update. */
  readonly key?: string | undefined
  /** The publisher's subject. Equal keys of two publishers are different keys. */
  readonly publisher?: string | undefined
}

const maxBytes = 256
// biome-ignore lint/suspicious/noControlCharactersInRegex: the check is for control characters
const control = /[\0-\x1f\x7f]/

/**
 * The deduplication options of an append; undefined when no update has a key.
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

/** One key for all updates of a request: repeating it means repeating all of them. */
function keysFromHeader(updates: readonly Update[], key: string, publisher: string | undefined): DedupKey[] {
  check(key)
  const fingerprint = digest(updates)
  const common = digest(['key', publisher ?? null, key])
  return updates.map((_, at) => ({ key: `${common}.${at}`, fingerprint }))
}

function check(key: string): void {
  const refuse = (why: string): never => {
    throw new TidingsError('key_invalid', why)
  }
  if (typeof key !== 'string' || key === '') refuse('it is empty; leave it out instead')
  if (!key.isWellFormed() || control.test(key)) refuse('it contains a control character, or is not well-formed Unicode')
  const bytes = Buffer.byteLength(key)
  if (bytes > maxBytes) refuse(`the limit is ${maxBytes} bytes, got ${bytes}`)
}

/** 128 bits of SHA-256. Finding two texts with one digest takes 2^64 steps, and both would be the same publisher's. */
function digest(value: unknown): string {
  return sha256(JSON.stringify(value), 'base64url').slice(0, 22)
}
