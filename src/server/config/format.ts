// Writes an option's value as people would, for tables and help. It reads none, and shows no secret.
import { formatDuration, formatSize } from '../../units.ts'
import type { Kind, Value } from './value.ts'

/** A value as it could be given again, but for secrets. Empty where it says nothing. */
export function formatOption(kind: Kind, value: Value): string {
  if (kind === 'secret') return value === '' ? '' : '(secret)'
  if (kind === 'duration') return formatDuration(Number(value))
  if (kind === 'size') return formatSize(Number(value))
  if (!Array.isArray(value)) return String(value)
  if (value.length === 0) return ''
  if (value.every((entry) => typeof entry === 'string')) return value.join(',')
  return kind === 'issuers' ? value.map(nameOf).join(',') : JSON.stringify(value)
}

/** Issuers may come with keys, which are nobody's business. */
function nameOf(issuer: string | { readonly issuer: string }): string {
  return typeof issuer === 'string' ? issuer : `${issuer.issuer} (secret)`
}
