// Makes logs for those who name topics by selectors and write durations and sizes as people do: a log itself knows neither.
// It adds nothing else.
import { OptionError, withOptionName } from './errors.ts'
import type { LmdbLog as FolderLog } from './log/lmdb/log.ts'
import type { LmdbLogOptions as FolderLogOptions } from './log/lmdb/options.ts'
import { MemoryLog as PlainMemoryLog, type MemoryLogOptions as PlainMemoryLogOptions } from './log/memory/log.ts'
import { checkName, parseAddress } from './log/redis/address.ts'
import type { RedisLog as SharedLog } from './log/redis/log.ts'
import type { RedisLogOptions as SharedLogOptions } from './log/redis/options.ts'
import { RetentionRules, type RetentionRule as Rule } from './log/retention/rules.ts'
import { compile } from './topics/matcher.ts'
import { parseDuration, parseSize } from './units.ts'

/**
 * What is kept of the updates whose first topic `match` covers; the first rule that covers it decides. Without a bound, all.
 * What `last` removes is superseded, which is no gap; what the others remove is one.
 */
export interface RetentionRule {
  /** A topic, `*`, or a URI template. */
  readonly match: string
  /** The newest so many entries of each topic. */
  readonly last?: number
  /** So many entries at most, of all topics of the rule together. */
  readonly entries?: number
  /** So many bytes at most, such as `1GiB`, of all topics of the rule together. */
  readonly bytes?: number | string
  /** How long, such as `7d`; a number is in milliseconds. */
  readonly age?: number | string
}

export type MemoryLogOptions = Omit<PlainMemoryLogOptions, 'retention'> & {
  /**
   * What is kept of which topics, within `entries`, `bytes` and `age` where they are given. A rule takes the place of the default
   * bounds, 100,000 entries and 64 MiB, for what it covers: without a bound of its own, it keeps everything in memory.
   */
  readonly retention?: readonly RetentionRule[]
}

export type LmdbLogOptions = Omit<FolderLogOptions, 'covers' | 'retention'> & {
  /** What is kept of which topics; default everything. */
  readonly retention?: readonly RetentionRule[]
}

export type RedisLogOptions = Omit<SharedLogOptions, 'covers' | 'retention'> & {
  /** What is kept of which topics, for all nodes: the rules that were set last hold. Default everything. */
  readonly retention?: readonly RetentionRule[]
}

/** A history in memory. What is appended is kept when `append` returns, and for as long as the process lives. */
export class MemoryLog extends PlainMemoryLog {
  /** @throws OptionError for a bound that is none. */
  constructor({ retention = [], ...options }: MemoryLogOptions = {}) {
    super({ ...options, retention: new RetentionRules(readRules(retention), covers) })
  }
}

/** Changes the rules of one of our logs. @throws OptionError for a rule that is none */
export async function changeRules(
  log: PlainMemoryLog | FolderLog | SharedLog,
  rules: readonly RetentionRule[]
): Promise<void> {
  await log.retain(readRules(rules))
}

export type LmdbLog = FolderLog

/** A history in a folder, which outlasts the process. */
export const LmdbLog = {
  /**
   * Opens the log in a folder, or begins one.
   * @throws LogError when the folder cannot be used, is in use, or is damaged; OptionError for a bound that is none.
   */
  async open({ retention = [], ...options }: LmdbLogOptions): Promise<LmdbLog> {
    const rules = readRules(retention)
    // Not before it is asked for: who keeps history elsewhere needs no native code.
    const { LmdbLog: FolderLog } = await import('./log/lmdb/log.ts')
    return FolderLog.open({ ...options, retention: rules, covers })
  }
}

export type RedisLog = SharedLog

/** A history in Redis, which many nodes share. */
export const RedisLog = {
  /**
   * Opens the log in Redis, or begins one.
   * @throws TidingsError `log_unavailable` when Redis cannot be reached; OptionError for an address or a bound that is none.
   */
  async open({ retention = [], ...options }: RedisLogOptions): Promise<RedisLog> {
    const rules = readRules(retention)
    // Not before it is asked for: who keeps history elsewhere does not need the package.
    const { RedisLog: SharedLog } = await import('./log/redis/log.ts')
    return SharedLog.open({ ...options, retention: rules, covers })
  }
}

/**
 * Looks at where a log in Redis is to be and what it is called, without asking Redis.
 * @throws OptionError, which does not quote the address: it may hold a password
 */
export function checkRedis({ url, prefix, name }: { url: string; prefix: string; name: string }): void {
  parseAddress(url)
  checkName('prefix', prefix)
  checkName('name', name)
}

/** Where Redis is, without what is secret about it. */
export { placeOf } from './log/redis/address.ts'

function covers(selector: string, topic: string): boolean {
  return selector === '*' || compile(selector).matches(topic)
}

const fields = ['match', 'last', 'entries', 'bytes', 'age']

/**
 * Reads rules as people write them.
 * @throws OptionError that names the rule, the field, and what was expected
 */
export function readRules(rules: readonly RetentionRule[]): Rule[] {
  if (!Array.isArray(rules))
    throw new OptionError('retention', 'expected a list of rules such as {"match":"*","age":"7d"}')
  return withOptionName('retention', () => rules.map((rule, index) => readRule(rule, `rule ${index + 1}`)))
}

function readRule(rule: RetentionRule, name: string): Rule {
  if (typeof rule !== 'object' || rule === null)
    throw new RangeError(`${name}: expected an object, got ${JSON.stringify(rule)}`)
  const unknown = Object.keys(rule).find((field) => !fields.includes(field))
  if (unknown !== undefined) throw new RangeError(`${name}: "${unknown}" is not a field; expected ${fields.join(', ')}`)
  const { match, last, entries, bytes, age } = rule
  if (typeof match !== 'string' || match === '')
    throw new RangeError(`${name}: match: expected a topic selector such as "*"`)
  return {
    match,
    ...(last !== undefined && { last: wholeNumber(last, `${name}: last`) }),
    ...(entries !== undefined && { entries: wholeNumber(entries, `${name}: entries`) }),
    ...(bytes !== undefined && { bytes: named(`${name}: bytes`, () => parseSize(bytes)) }),
    ...(age !== undefined && { age: named(`${name}: age`, () => parseDuration(age)) })
  }
}

function wholeNumber(value: number, name: string): number {
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new RangeError(`${name}: expected a whole number greater than 0, got ${JSON.stringify(value)}`)
}

function named(name: string, parse: () => number): number {
  try {
    return parse()
  } catch (error) {
    throw new RangeError(`${name}: ${(error as Error).message}`)
  }
}
