// The question to the authorizing application, and its decision: read from its response, or from what its function returned.

import { validateRequest } from '../../hub/subscribe-request.ts'
import { parseObject } from '../../json.ts'
import type { Selector } from '../../topics/matcher.ts'
import type { HttpRequest } from '../exchange.ts'
import type { Reply } from './callback.ts'

/** Decides in addition to the token. */
export interface Authorizer {
  /** @throws TidingsError `authorize_failed` if there is no decision */
  decide(question: Question, asking: AskingRequest): Promise<Decision>
}

export interface Question {
  readonly action: 'subscribe' | 'publish' | 'delete'
  readonly topics: readonly Selector[]
  readonly private?: boolean
  /** The update to delete. */
  readonly id?: string
  readonly address: string
  readonly subject?: string
}

/** The request that the question is about. */
export interface AskingRequest {
  readonly request: HttpRequest
  /** With the mount, without the query. */
  readonly path: string
}

export interface Decision {
  readonly isAllowed: boolean
  /** Selectors of private updates that may be read, besides those that the token grants. */
  readonly readable: readonly string[]
  /** When the decision expires, in milliseconds since 1970; Infinity for never. */
  readonly until: number
}

export const refused: Decision = { isAllowed: false, readable: [], until: Number.POSITIVE_INFINITY }

/** Maximum time in the cache, in seconds. */
const maxAge = 3_600

/** @throws Error for a response that is no decision. The message does not quote it. */
export function readDecision({ status, headers, text }: Reply): Decision {
  if (status === 401 || status === 403) return refused
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
  return checkedRights(readable, typeof until === 'number' ? until * 1_000 : until)
}

/**
 * @param until in milliseconds since 1970; undefined or null for never
 * @throws Error
 */
export function checkedRights(readable: unknown, until: unknown): Pick<Decision, 'readable' | 'until'> {
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
  if (typeof value !== 'number' || Number.isNaN(value)) throw new Error('until in its answer is not a number')
  if (value <= Date.now()) throw new Error('until in its answer is in the past')
  return value
}

/** The selectors have the same limits as those of a stream. */
function validate(rights: Pick<Decision, 'readable' | 'until'>): void {
  try {
    validateRequest(rights)
  } catch (error) {
    throw new Error('readable in its answer contains an invalid selector', { cause: error })
  }
}
