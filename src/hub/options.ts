// The options of a hub: what they are, what they are by default, and what they may be. It makes no hub.
import { OptionError } from '../errors.ts'
import type { Log } from '../log/log.ts'
import { MemoryLog, type RetentionRule } from '../logs.ts'
import type { WindowLimits } from './delivery/window.ts'
import type { Observer } from './observer.ts'

export interface HubOptions {
  /** Where history is kept; default a `MemoryLog` with its defaults. */
  log?: Log
  /** What that default log keeps of which topics; a log that is given has rules of its own. */
  retention?: readonly RetentionRule[]
  /** Milliseconds after which a quiet stream gets a comment, or a little less; 0 for never; default 15,000. */
  heartbeat?: number
  /** Milliseconds that a client may leave a full connection unread before it is closed with `slow`; default 30,000. */
  slowTimeout?: number
  /**
   * Milliseconds that a stream may last, at most, before it is ended with `rotated` and its client comes again, a little sooner at
   * random; 0 for as long as it likes, which is the default.
   */
  maxAge?: number
  /**
   * Milliseconds within which the subscriptions of a node that died without a word are told to have ended, on the nodes that
   * share its log; at least 1,000, default 30,000.
   */
  presenceTimeout?: number
  /**
   * For how many milliseconds an update that is published again is known by its key or else its id, and not appended twice; 0 for
   * never, which is the default.
   */
  idempotent?: number
  /** How much of the recent past is held ready for all; default 16,384 entries and 16 MiB. */
  window?: Partial<WindowLimits>
  /** About how many bytes one write to a live client may hold; default 256 KiB. */
  batchBytes?: number
  /** Told of everything that happens. */
  observer?: Observer
}

/** @throws OptionError where rules are given besides a log, or are none */
export function logFor({ log, retention }: HubOptions): Log {
  if (log && retention)
    throw new OptionError('retention', 'belongs to the log; give it to the log that you pass as `log`')
  return log ?? new MemoryLog(retention ? { retention } : {})
}

/** The times and sizes that a hub goes by. */
interface ResolvedHubOptions {
  readonly heartbeat: number
  readonly slowTimeout: number
  readonly maxAge: number
  readonly presenceTimeout: number
  readonly idempotent: number
  readonly batchBytes: number
  readonly window: WindowLimits
}

/** @throws OptionError that names the bound */
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

/** Fine enough for the shortest of the times, and never so fine that an idle hub is kept busy. */
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
