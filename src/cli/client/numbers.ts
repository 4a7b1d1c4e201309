// Reads the numbers and times that flags are given. It knows no flag.
import { InvalidArgumentError } from 'commander'
import { parseDuration } from '../../units.ts'

/** For a flag that takes a whole number of at least so much. */
export function whole(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d{1,9}$/.test(text) && value >= least) return value
    throw new InvalidArgumentError(`Expected a whole number of at least ${least}.`)
  }
}

/** For a flag that takes seconds, or a time such as 500ms or 2m; answers milliseconds. */
export function seconds(text: string): number {
  try {
    return parseDuration(/^[\d.]+$/.test(text) ? `${text}s` : text)
  } catch {
    throw new InvalidArgumentError('Expected seconds, or a time such as 500ms or 2m.')
  }
}
