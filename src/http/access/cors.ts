// CORS: which pages of other origins may read responses of the hub [Fetch, 3.3].

import { type OriginList, readOrigins } from '../../auth/origins.ts'
import { withOptionName } from '../../errors.ts'
import type { HttpRequest, HttpResponse } from '../exchange.ts'
import { addHeader, hasHeader } from '../response.ts'

export interface OriginOptions {
  /**
   * Origins whose pages may read responses: `https://example.com`, `https://*.example.com` for all subdomains, `null`,
   * or `*` for all; default none. Requests with cookies are allowed only for an origin that is named or matches a
   * wildcard of its domain.
   */
  corsOrigins?: readonly string[]
  /**
   * Origins whose pages may publish with a cookie, or without a token if there are no keys, besides the hub's own
   * origin; the same forms; default none. Pages of other origins get 403 `cookie_refused` or `origin_refused`.
   */
  publishOrigins?: readonly string[]
}

/** @throws OptionError that names the entry that is no origin */
export function readOriginOption(name: keyof OriginOptions, origins: readonly string[] = []): OriginList | undefined {
  return origins.length > 0 ? withOptionName(name, () => readOrigins(origins)) : undefined
}

const exposed =
  'Link, Mercure-Last-Event-ID, Last-Event-ID, Event-ID, Accept-Query, ETag, WWW-Authenticate, Idempotent-Replayed, ' +
  'Retry-After, X-Request-Id'
const allowedHeaders = 'Authorization, Cache-Control, Content-Type, Last-Event-ID, Idempotency-Key'
/** Seconds for which a browser may cache a preflight. */
const preflightAge = '7200'

export class Cors {
  readonly #origins: OriginList | undefined

  /** @throws OptionError as `readOriginOption` does */
  constructor({ corsOrigins }: OriginOptions) {
    this.#origins = readOriginOption('corsOrigins', corsOrigins)
  }

  /** Sets the headers for the origin of a request. */
  apply({ headers: { origin } }: HttpRequest, response: HttpResponse): void {
    if (!this.#origins) return
    addHeader(response, 'Vary', 'Origin')
    if (origin === undefined || !this.#origins.allows(origin)) return
    // [Fetch, 3.3.5] A response to a request with credentials must name the origin. `*` is not allowed.
    const isNamed = this.#origins.names(origin)
    addHeader(response, 'Access-Control-Allow-Origin', isNamed || origin === 'null' ? origin : '*')
    addHeader(response, 'Access-Control-Expose-Headers', exposed)
    if (isNamed) addHeader(response, 'Access-Control-Allow-Credentials', 'true')
  }

  /** Sets the headers of a preflight response. `methods` is the list for `Access-Control-Allow-Methods`. */
  allow({ headers }: HttpRequest, response: HttpResponse, methods: string): void {
    if (!hasHeader(response, 'Access-Control-Allow-Origin') || !headers['access-control-request-method']) return
    addHeader(response, 'Access-Control-Allow-Methods', methods)
    addHeader(response, 'Access-Control-Allow-Headers', allowedHeaders)
    addHeader(response, 'Access-Control-Max-Age', preflightAge)
  }
}
