// What the server adds to the dashboard of its handler: its name, its options, its retention rules, and the state of what it uses.
import { readdirSync, statSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { TidingsError } from '../../errors.ts'
import { type Check, Health } from '../../http/dashboard/health.ts'
import type { DashboardParts } from '../../http/dashboard/options.ts'
import type { Hub } from '../../hub/hub.ts'
import type { Observer } from '../../hub/observer.ts'
import type { Config } from '../config/options.ts'
import { describeStore, storeKind } from '../config/store-value.ts'
import { type Origins, optionRows } from './option-rows.ts'

/** Errors of requests that say something about the log. */
const logErrors = ['storage_full', 'log_unavailable', 'append_timeout'] as const

export class ServerParts {
  readonly health = new Health()
  /** Notices what the log refuses. */
  readonly observer: Observer = {
    refused: ({ code }) => {
      const known = logErrors.find((one) => one === code)
      if (known) this.health.failed('log', new TidingsError(known))
    }
  }
  readonly #worker: number | null
  #config: Config
  #origins: Origins

  constructor(config: Config, origins: Origins = {}, worker: number | null = null) {
    this.#config = config
    this.#origins = origins
    this.#worker = worker
  }

  reload(config: Config, origins: Origins | undefined): void {
    this.#config = config
    this.#origins = origins ?? this.#origins
  }

  /** @param url where the server listens */
  of(hub: Hub, url: string): DashboardParts {
    return {
      name: this.#nameAt(url),
      worker: this.#worker,
      health: this.health,
      options: () => optionRows(this.#config, this.#origins),
      checks: () => this.#checks(hub.status.isReady),
      logBytes: () => (storeKind(this.#config.store) === 'folder' ? bytesIn(this.#config.store) : null),
      retention: () => this.#retention
    }
  }

  /** Servers on Redis may be on several machines, and several of them on one. */
  #nameAt(url: string): string {
    const port = URL.canParse(url) ? new URL(url).port : ''
    const server = port === '' ? hostname() : `${hostname()}:${port}`
    if (this.#worker === null) return server
    return storeKind(this.#config.store) === 'redis' ? `${server} worker ${this.#worker}` : `worker ${this.#worker}`
  }

  #checks(isReady: boolean): Check[] {
    const { store, webhooks } = this.#config
    const place = describeStore(store)
    const isRedis = storeKind(store) === 'redis'
    return [
      this.health.checkNow('log', place, isReady),
      isRedis ? this.health.checkNow('redis', place, isReady) : this.health.check('redis', undefined),
      this.health.check('webhooks', webhooks.length > 0 ? webhooks.join(', ') : undefined, true)
    ]
  }

  get #retention(): ReturnType<DashboardParts['retention']> {
    const { store, retention: rules } = this.#config
    const otherwise =
      storeKind(store) === 'memory'
        ? 'at most 100000 updates and 64 MiB of all topics without a rule'
        : 'everything, since no rule covers the topic'
    return { rules, otherwise }
  }
}

/** Space on disk: the data file has holes. Null if the folder cannot be read. */
function bytesIn(folder: string): number | null {
  try {
    return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).blocks * 512, 0)
  } catch {
    return null
  }
}
