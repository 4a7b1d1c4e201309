// What a failed request means, as a sentence for people.
import { RefusedError } from '../../client/index.ts'

/** The sentence of an error that a request threw; the browser's own ones for a broken network help nobody. */
export function sentenceFor(error: unknown): string {
  if (error instanceof RefusedError) return sentence(error.message)
  if (error instanceof TypeError) return 'The server cannot be reached. Check that it runs, and try again.'
  return sentence(error instanceof Error ? error.message : String(error))
}

/** With a capital and a period. Messages of the server often have neither. */
export function sentence(text: string): string {
  const trimmed = text.trim()
  const end = /[.!?…]$/.test(trimmed) ? '' : '.'
  return `${trimmed.charAt(0).toUpperCase()}${trimmed.slice(1)}${end}`
}
