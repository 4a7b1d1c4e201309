// What a check found, and what to change for it. It checks nothing.

export type Level = 'ok' | 'warning' | 'fault'

export interface Finding {
  /** What was looked at, in a word or two. */
  readonly check: string
  readonly level: Level
  /** What was found, as a sentence without its full stop. */
  readonly said: string
  /** What to change, by the program in which to change it. */
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

/** Milliseconds as people say them. */
export function time(milliseconds: number): string {
  return milliseconds < 1_000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1_000).toFixed(1)} s`
}
