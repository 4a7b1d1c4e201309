// Delays between attempts: they grow after each failure and are random, so that many clients do not all retry at once. The
// server's `Retry-After` is the minimum.

export interface BackoffOptions {
  /** The delay after the first failure, in milliseconds. */
  readonly firstMs: number
  /** The longest delay, in milliseconds. */
  readonly maxMs: number
  /** The factor by which the delay grows. Default: 2. */
  readonly growth?: number
}

/** The delay in milliseconds after so many failures: half of it is fixed, half is random. */
export function backoffMs(failures: number, options: BackoffOptions, random: () => number = Math.random): number {
  return ceilingMs(failures, options) * (0.5 + random() / 2)
}

/** Reads a `Retry-After` header, seconds or a date, as milliseconds of at most `maxMs`; 0 without one [RFC 9110, 10.2.3]. */
export function readRetryAfter(value: string | null | undefined, maxMs: number, now = Date.now()): number {
  if (!value) return 0
  const wait = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - now
  return Number.isNaN(wait) ? 0 : Math.min(maxMs, Math.max(0, wait))
}

/** The delay in milliseconds after so many failures, with full jitter: anything from 0 to a ceiling that grows. */
export function fullJitterMs(failures: number, options: BackoffOptions, random: () => number = Math.random): number {
  return ceilingMs(failures, options) * random()
}

function ceilingMs(failures: number, { firstMs, maxMs, growth = 2 }: BackoffOptions): number {
  return Math.min(Math.max(maxMs, firstMs), firstMs * growth ** Math.min(failures - 1, 30))
}
