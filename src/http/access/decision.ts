// Reads the decision of the authorizing application from its response, and how long it may be cached.
import { validateRequest } from '../../hub/subscribe-request.ts'
import { parseObject } from '../../json.ts'
import type { Reply } from './callback.ts'

export interface Decision {
  readonly isAllowed: boolean
  /** Selectors of private updates that may be read, besides those that the token grants. */
  readonly readable: readonly string[]
  /** When the decision expires, in milliseconds since 1970; Infinity for never. */
  readonly until: number
}

/** Maximum time in the cache, in seconds. */
const maxAge = 3_600

/** @throws Error for a response that is no decision. The message does not quote it. */
export function readDecision({ status, headers, text }: Reply): Decision {
  if (status === 401 || status === 403) return { isAllowed: false, readable: [], until: Number.POSITIVE_INFINITY }
  if (status < 200 || status > 299) throw new Error(`answered ${status}`)
  return { isAllowed: true, ...readRights(text, headers.get('content-type') ?? '') }
}

/** How long a decision may be cached, in milliseconds; 0 unless the response has `max-age` [RFC 9111, 5.2.2]. */
export function cacheTimeOf(headers: Headers): number {
  const directives = (headers.get('cache-control') ?? '').split(',').map((text) => text.trim().toLowerCase())
  if (directives.includes('no-store') || directives.includes('no-cache')) return 0
  const [, seconds = '0'] = directives.map((text) => /^max-age=(\d{1,15})$/.exec(text)).find((found) => found) ?? []
  return Math.min(Number(seconds), maxAge) * 1_000
}

/**
 * A body that looks like JSON is read as JSON even with another content type. To ignore it could turn grants that
 * expire into grants that do not.
 */
function readRights(text: string, type: string): Pick<Decision, 'readable' | 'until'> {
  const isJson = /^application\/([\w.-]+\+)?json\s*(;|$)/i.test(type) || /^\s*[{[]/.test(text)
  if (!isJson || text.trim() === '') return { readable: [], until: Number.POSITIVE_INFINITY }
  const { readable = [], until } = parseObject(text, 'its answer')
  const rights = { readable: readReadable(readable), until: readUntil(until) }
  validate(rights)
  return rights
}

function readReadable(value: unknown): readonly string[] {
  if (Array.isArray(value) && value.every((selector) => typeof selector === 'string')) return value
  throw new Error('readable in its answer is not a list of strings')
}

function readUntil(value: unknown): number {
  if (value === undefined || value === null) return Number.POSITIVE_INFINITY
  if (typeof value !== 'number') throw new Error('until in its answer is not a number')
  if (value * 1_000 <= Date.now()) throw new Error('until in its answer is in the past')
  return value * 1_000
}

/** The selectors have the same limits as those of a stream. */
function validate(rights: Pick<Decision, 'readable' | 'until'>): void {
  try {
    validateRequest(rights)
  } catch (error) {
    throw new Error('readable in its answer contains an invalid selector', { cause: error })
  }
}
