// The result of one check.

export type Level = 'ok' | 'warning' | 'fault'

export interface Finding {
  /** What was checked, in a word or two. */
  readonly check: string
  readonly level: Level
  /** The result, as a sentence without its full stop. */
  readonly said: string
  /** The change that fixes it, for each program. */
  readonly change?: Change
}

export type Change = Readonly<Record<string, string>>

export function ok(check: string, said: string): Finding {
  return { check, level: 'ok', said }
}

export function warning(check: string, said: string, change?: Change): Finding {
  return { check, level: 'warning', said, ...(change && { change }) }
}

export function fault(check: string, said: string, change?: Change): Finding {
  return { check, level: 'fault', said, ...(change && { change }) }
}

/** A time for people. */
export function time(milliseconds: number): string {
  return milliseconds < 1_000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1_000).toFixed(1)} s`
}
