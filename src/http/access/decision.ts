// What an application decided, read from its answer, and for how long that may be remembered. It asks nothing.
import { validateRequest } from '../../hub/subscribe-request.ts'
import { parseObject } from '../../json.ts'
import type { Reply } from './callback.ts'

export interface Decision {
  readonly isAllowed: boolean
  /** Of which topics private updates may be read besides those that the token grants. */
  readonly readable: readonly string[]
  /** When that ends, in milliseconds since 1970; Infinity if it does not. */
  readonly until: number
}

/** The longest that a decision is remembered, in seconds. */
const longest = 3_600

/** @throws Error that says in a few words, and quotes nothing, why this is no decision */
export function readDecision({ status, headers, text }: Reply): Decision {
  if (status === 401 || status === 403) return { isAllowed: false, readable: [], until: Number.POSITIVE_INFINITY }
  if (status < 200 || status > 299) throw new Error(`answered ${status}`)
  return { isAllowed: true, ...readRights(text, headers.get('content-type') ?? '') }
}

/** In milliseconds; 0 where the application does not say that it may be remembered [RFC 9111, 5.2.2]. */
export function rememberedFor(headers: Headers): number {
  const directives = (headers.get('cache-control') ?? '').split(',').map((text) => text.trim().toLowerCase())
  if (directives.includes('no-store') || directives.includes('no-cache')) return 0
  const [, seconds = '0'] = directives.map((text) => /^max-age=(\d{1,15})$/.exec(text)).find((found) => found) ?? []
  return Math.min(Number(seconds), longest) * 1_000
}

/** What is meant as JSON is read as JSON, whatever it is called: rights that end must not become rights that do not. */
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
  throw new Error('its readable is no list of texts')
}

function readUntil(value: unknown): number {
  if (value === undefined || value === null) return Number.POSITIVE_INFINITY
  if (typeof value !== 'number') throw new Error('its until is no number')
  if (value * 1_000 <= Date.now()) throw new Error('its until is over')
  return value * 1_000
}

/** The same bounds as for what a stream asks for. */
function validate(rights: Pick<Decision, 'readable' | 'until'>): void {
  try {
    validateRequest(rights)
  } catch (error) {
    throw new Error('its readable breaks a rule for selectors', { cause: error })
  }
}
