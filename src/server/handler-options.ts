// The options of a server as those of its hub and of its HTTP handler.
import { hubPath } from '../http/access/options.ts'
import type { HandlerOptions } from '../http/request-context.ts'
import type { HubOptions } from '../hub/options.ts'
import type { Config } from './config/options.ts'
import { isGuarded } from './exposure.ts'

export function timesOf({ heartbeat, slowTimeout, maxAge, presenceTimeout, idempotent }: Config): HubOptions {
  return { heartbeat, slowTimeout, maxAge, presenceTimeout, idempotent }
}

/** The options of the HTTP handler. Without a public URL or an audience, the hub's URL is the address it listens on. */
export function handlerOptions(config: Config, url: string): HandlerOptions {
  const { audience, publicUrls, clockTolerance, open, ...rest } = config
  const isNamed = audience.length > 0 || publicUrls.length > 0
  return {
    ...rest,
    publicUrls,
    audience: isNamed ? audience : [(url.startsWith('unix:') ? 'http://localhost' : url) + hubPath],
    clockTolerance: clockTolerance / 1_000,
    // Without authorization and without `open`, the server listens on loopback only. It also checks the Host header, since DNS
    // rebinding lets a web page reach a loopback address under a name of its own.
    localOnly: !open && !isGuarded(config)
  }
}
