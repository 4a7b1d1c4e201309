// Content negotiation: reads the `Accept` header [RFC 9110, 12.5.1].
import type { HttpRequest } from './exchange.ts'

/** Whether the client names JSON. A wildcard does not count, since most clients send one. */
export function wantsJson(request: HttpRequest): boolean {
  const { accept } = request.headers
  if (accept === undefined || accept === '*/*') return false
  return rangesOf(request).some(({ range, isRefused }) => range === 'application/json' && !isRefused)
}

/**
 * Whether the client accepts a media type such as `text/event-stream`. The most specific range that covers the type
 * decides. A client that sends no valid range accepts everything.
 */
export function acceptsType(request: HttpRequest, type: string): boolean {
  const ranges = rangesOf(request)
  const covering = [type, type.replace(/\/.*/, '/*'), '*/*'].map((wanted) =>
    ranges.find(({ range }) => range === wanted)
  )
  const decisive = covering.find((range) => range !== undefined)
  return decisive ? !decisive.isRefused : ranges.length === 0
}

interface MediaRange {
  readonly range: string
  /** Whether the range has the weight 0. */
  readonly isRefused: boolean
}

function rangesOf({ headers: { accept = '' } }: HttpRequest): MediaRange[] {
  return accept
    .split(',')
    .map((text) => text.split(';').map((part) => part.trim().toLowerCase()))
    .filter(([range = '']) => /^[^\s/]+\/[^\s/]+$/.test(range))
    .map(([range = '', ...parameters]) => ({
      range,
      isRefused: parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter))
    }))
}
