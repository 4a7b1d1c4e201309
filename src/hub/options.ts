// The options of a hub, with their defaults and bounds.
import { OptionError } from '../errors.ts'
import type { Log } from '../log/log.ts'
import { MemoryLog } from '../log/memory/log.ts'
import type { RetentionRule } from '../log/retention/rules.ts'
import type { WindowLimits } from './delivery/window.ts'
import type { Observer } from './observer.ts'

export interface HubOptions {
  /** The log that keeps the history. Default: a `MemoryLog` with its defaults. */
  log?: Log
  /** The retention rules of the default log. Not allowed together with `log`, which has its own rules. */
  retention?: readonly RetentionRule[]
  /** Milliseconds until an idle stream gets a comment, reduced by up to 20 % at random; 0 for never. Default: 15,000. */
  heartbeat?: number
  /** Milliseconds without progress after which a client with a full connection is closed with `slow`. Default: 30,000. */
  slowTimeout?: number
  /**
   * Milliseconds after which a stream is ended with `rotated`, reduced by up to 20 % at random; its client reconnects. 0 for no limit.
   * Default: 0.
   */
  maxAge?: number
  /**
   * Milliseconds after which the subscriptions of a crashed node are removed and their ends announced. At least 1,000. Default: 30,000.
   */
  presenceTimeout?: number
  /**
   * Milliseconds for which a repeated update is recognized by its idempotency key, or its id, and not appended again; 0 for never.
   * Default: 0.
   */
  idempotent?: number
  /** The size of the window of recent entries that all subscribers share. Default: 16,384 entries and 16 MiB. */
  window?: Partial<WindowLimits>
  /** Approximate maximum of bytes in one write to a live client. Default: 256 KiB. */
  batchBytes?: number
  /** Called for everything that happens. */
  observer?: Observer
}

/** @throws OptionError when rules are given together with a log, or are invalid */
export function logFor({ log, retention }: HubOptions): Log {
  if (log && retention)
    throw new OptionError('retention', 'cannot be combined with log; give the rules to the constructor of that log')
  return log ?? new MemoryLog(retention ? { retention } : {})
}

/** The options with their defaults. */
export interface ResolvedHubOptions {
  readonly heartbeat: number
  readonly slowTimeout: number
  readonly maxAge: number
  readonly presenceTimeout: number
  readonly idempotent: number
  readonly batchBytes: number
  readonly window: WindowLimits
}

/** @throws OptionError that names the option and its bound */
export function resolveHubOptions({
  heartbeat = 15_000,
  slowTimeout = 30_000,
  maxAge = 0,
  presenceTimeout = 30_000,
  idempotent = 0,
  batchBytes = 256 * 1_024,
  window
}: HubOptions): ResolvedHubOptions {
  const limits = { entries: 16_384, bytes: 16 * 2 ** 20, ...window }
  const numbers = { heartbeat, slowTimeout, maxAge, presenceTimeout, idempotent, batchBytes }
  checkNumbers({ ...numbers, ...limits })
  return { ...numbers, window: limits }
}

/** The tick of the timer wheel: fine enough for the shortest time, coarse enough for an idle hub. */
export function tickFor(heartbeat: number, slowTimeout: number, maxAge: number): number {
  const shortest = Math.min(heartbeat || Infinity, slowTimeout, maxAge || Infinity)
  return Math.min(250, Math.max(10, shortest / 20))
}

const minimums: Record<string, number> = { heartbeat: 0, maxAge: 0, idempotent: 0, presenceTimeout: 1_000 }

function checkNumbers(numbers: Record<string, number | undefined>): void {
  for (const [name, value] of Object.entries(numbers)) {
    const least = minimums[name] ?? 1
    if (value === undefined || (Number.isFinite(value) && value >= least)) continue
    throw new OptionError(name, `expected a number of at least ${least}, got ${value}`)
  }
}
