// The dashboard as a part of a handler: off, read-only or on, and what the handler knows of the parts that authorize requests.
import type { Hub } from '../../hub/hub.ts'
import type { HandlerOptions, Route } from '../request-context.ts'
import { Dashboard } from './dashboard.ts'
import { type Check, Health } from './health.ts'
import { type DashboardParts, readDashboardOption } from './options.ts'
import { DashboardRoutes } from './routes.ts'

export class DashboardMount {
  readonly #hub: Hub
  readonly #parts: DashboardParts
  #options: HandlerOptions
  #mode: ReturnType<typeof readDashboardOption>
  #routes: DashboardRoutes | undefined

  /** @throws OptionError */
  constructor(hub: Hub, options: HandlerOptions, parts: DashboardParts = partsOfHandler(hub)) {
    this.#hub = hub
    this.#parts = parts
    this.#options = options
    this.#mode = readDashboardOption(options)
    if (this.#mode !== 'off') this.#routes = this.#makeRoutes()
  }

  /** @throws OptionError */
  reload(options: HandlerOptions): void {
    this.#mode = readDashboardOption(options)
    this.#options = options
    if (this.#mode !== 'off') this.#routes ??= this.#makeRoutes()
  }

  routeOf(path: string): Route | undefined {
    return this.#mode === 'off' ? undefined : this.#routes?.routeOf(path)
  }

  /** A JWK Set or the authorizing application has failed. */
  failed(error: unknown, part: 'jwks' | 'authorize'): void {
    this.#parts.health.failed(part, error)
  }

  #makeRoutes(): DashboardRoutes {
    const dashboard = new Dashboard(this.#hub, this.#parts, () => this.#checks())
    return new DashboardRoutes(dashboard, () => this.#mode === 'read-only')
  }

  #checks(): Check[] {
    const { health } = this.#parts
    return [health.check('jwks', jwksOf(this.#options)), health.check('authorize', authorizeOf(this.#options))]
  }
}

function jwksOf({ publisherJwks, subscriberJwks, issuers = [] }: HandlerOptions): string | undefined {
  const ofIssuers = issuers.flatMap((issuer) => {
    return typeof issuer === 'string' ? [] : [issuer.publisher?.jwks, issuer.subscriber?.jwks]
  })
  const addresses = new Set([publisherJwks, subscriberJwks, ...ofIssuers].filter(Boolean))
  return addresses.size === 0 ? undefined : [...addresses].join(', ')
}

function authorizeOf({ authorize }: HandlerOptions): string | undefined {
  if (!authorize) return undefined
  return typeof authorize === 'string' ? authorize : 'a function of this process'
}

/** What a handler knows that is not part of our own server. */
function partsOfHandler(hub: Hub): DashboardParts {
  const health = new Health()
  return {
    name: '',
    worker: null,
    health,
    options: () => [],
    checks: () => [health.checkNow('log', 'the log of the hub', hub.status.isReady)],
    retention: () => ({ rules: [], otherwise: 'what the log keeps; the handler does not know its rules' })
  }
}
