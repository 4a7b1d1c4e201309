// The error for a damaged file.
import { TidingsError } from '../../../errors.ts'
import { LogError } from '../../error.ts'

export function damaged(file: string, what: string): LogError {
  return new LogError(
    `${file} is damaged: ${what}; restore a backup, or move the folder away to start with an empty log`
  )
}

/** Turns an error on reading into one that says what to do. */
export function classifyReadError(error: unknown, file: string): Error {
  if (error instanceof TidingsError || error instanceof LogError) return error
  return damaged(file, `it could not be read (${(error as Error).message})`)
}
