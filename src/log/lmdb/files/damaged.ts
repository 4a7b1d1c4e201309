// The error for a damaged file.
import { LogError } from '../../error.ts'

export function damaged(file: string, what: string): LogError {
  return new LogError(
    `${file} is damaged: ${what}; put a copy in its place, or move the folder away to begin with an empty log`
  )
}
