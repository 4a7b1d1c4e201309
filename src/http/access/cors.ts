// Which pages of other sites may read what the hub answers [Fetch, 3.3]. It knows origins and no endpoint.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type OriginList, readOrigins } from '../../auth/origins.ts'
import { withOptionName } from '../../errors.ts'

export interface OriginOptions {
  /**
   * Origins whose pages may read answers: `https://example.com`, `https://*.example.com`, `null` or `*`. Only those named,
   * by themselves or by a wildcard below their domain, may send cookies. Default none.
   */
  corsOrigins?: readonly string[]
  /** Origins whose pages may publish with a cookie, besides the server's own; as above. Default none. */
  publishOrigins?: readonly string[]
}

/** @throws OptionError that names the entry that is no origin */
export function readOriginOption(name: keyof OriginOptions, origins: readonly string[] = []): OriginList | undefined {
  return origins.length > 0 ? withOptionName(name, () => readOrigins(origins)) : undefined
}

const exposed =
  'Link, Mercure-Last-Event-ID, Last-Event-ID, Event-ID, Accept-Query, ETag, WWW-Authenticate, Idempotent-Replayed'
const allowedHeaders = 'Authorization, Cache-Control, Content-Type, Last-Event-ID, Idempotency-Key'
/** How long a browser may remember what it was allowed, in seconds. */
const preflightAge = '7200'

export class Cors {
  readonly #origins: OriginList | undefined

  /** @throws OptionError as `readOriginOption` does */
  constructor({ corsOrigins }: OriginOptions) {
    this.#origins = readOriginOption('corsOrigins', corsOrigins)
  }

  /** Puts on an answer what its origin may do with it. */
  apply({ headers: { origin } }: IncomingMessage, response: ServerResponse): void {
    if (!this.#origins) return
    response.setHeader('Vary', 'Origin')
    if (origin === undefined || !this.#origins.allows(origin)) return
    // An answer that cookies led to is never for just anyone.
    const isNamed = this.#origins.names(origin)
    response.setHeader('Access-Control-Allow-Origin', isNamed || origin === 'null' ? origin : '*')
    response.setHeader('Access-Control-Expose-Headers', exposed)
    if (isNamed) response.setHeader('Access-Control-Allow-Credentials', 'true')
  }

  /** Adds what a browser asks before a request that is not simple; `methods` are those that there are. */
  allow({ headers }: IncomingMessage, response: ServerResponse, methods: string): void {
    if (!response.hasHeader('Access-Control-Allow-Origin') || !headers['access-control-request-method']) return
    response.setHeader('Access-Control-Allow-Methods', methods)
    response.setHeader('Access-Control-Allow-Headers', allowedHeaders)
    response.setHeader('Access-Control-Max-Age', preflightAge)
  }
}
