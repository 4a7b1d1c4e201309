// Refuses, at start and at each reload, to expose a server without authorization to other machines.
import { OptionError, withOptionName } from '../errors.ts'
import { readAddress, readHost } from './address.ts'
import type { Config } from './config/options.ts'

/** Whether requests are authorized by tokens. */
export function hasKeys({ publisherKey, publisherJwks, subscriberKey, subscriberJwks, issuers }: Config): boolean {
  const isNamed = issuers.some((issuer) => typeof issuer !== 'string')
  return isNamed || [publisherKey, publisherJwks, subscriberKey, subscriberJwks].some((key) => key !== '')
}

/**
 * Whether requests are authorized at all: by tokens, or by an application (`authorize`). With an application and no keys, tokens
 * are ignored, and only the application can allow a client to read private updates, metrics and lists of subscriptions.
 */
export function isGuarded(config: Config): boolean {
  return config.authorize !== '' || hasKeys(config)
}

/**
 * A server without authorization that other machines can reach must be opened on purpose, never by accident.
 * @param listening the addresses of a running server, or those of the configuration itself
 * @throws OptionError that names the address
 */
export function checkReach(config: Config, listening: Pick<Config, 'host' | 'listen'>): void {
  const { listen } = listening
  const host = withOptionName('host', () => readHost(listening.host))
  if (config.open || isGuarded(config)) return
  const far = (listen.length > 0 ? listen.map(hostOf) : [host]).find((name) => !isLoopback(name))
  if (far === undefined) return
  throw new OptionError(
    listen.length > 0 ? 'listen' : 'host',
    (nameOf) =>
      `${far} can be reached from other machines, and anyone there could publish and subscribe; ` +
      `set ${nameOf('publisherKey')} with ${nameOf('subscriberKey')} or ${nameOf('anonymous')}, or ${nameOf('authorize')}; ` +
      `set ${nameOf('open')} if the server is meant to be open; or listen on 127.0.0.1`
  )
}

/**
 * A reload must not remove the authorization of a running server: a truncated file looks like one without keys.
 * @throws OptionError that says what to do
 */
export function checkReload(next: Config, running: Config): void {
  if (isGuarded(running) && !isGuarded(next) && !next.open) {
    throw new OptionError(
      'publisherKey',
      (nameOf) =>
        `the running server is protected, but the new configuration has no keys and no ${nameOf('authorize')}; ` +
        `put them back, or set ${nameOf('open')} if anyone may publish and subscribe`
    )
  }
  checkReach(next, running)
}

/** The permissions of its folder protect a Unix socket. */
function hostOf(address: string): string {
  return address.startsWith('unix:') ? 'localhost' : withOptionName('listen', () => readAddress(address)).host
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}
