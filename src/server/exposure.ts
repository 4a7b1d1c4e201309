// Who could reach a server that nobody guards, at its start and at each reload. It listens on nothing.
import { readAddress } from './address.ts'
import type { Config } from './config/shape.ts'
import { ConfigError } from './config/value.ts'

/** Whether tokens decide who may do what. */
export function hasKeys({ publisherKey, publisherJwks, subscriberKey, subscriberJwks, issuers }: Config): boolean {
  const isNamed = issuers.some((issuer) => typeof issuer !== 'string')
  return isNamed || [publisherKey, publisherJwks, subscriberKey, subscriberJwks].some((key) => key !== '')
}

/**
 * Whether somebody decides who may do what: keys, or an application that is asked. Without keys, tokens mean nothing, what is
 * private is read by those for whom the application says so, and what tells of others is open to nobody else.
 */
export function isGuarded(config: Config): boolean {
  return config.authorize !== '' || hasKeys(config)
}

/**
 * An open server that others can reach lets them publish, which must never happen by accident.
 * @param listening the addresses: those of a running server, or of the configuration itself
 * @throws ConfigError that names the address
 */
export function checkReach(config: Config, listening: Pick<Config, 'host' | 'listen'>): void {
  const { host, listen } = listening
  if (config.open || isGuarded(config)) return
  const far = (listen.length > 0 ? listen.map(hostOf) : [host]).find((name) => !isLoopback(name))
  if (far === undefined) return
  throw new ConfigError(
    `${listen.length > 0 ? '--listen' : '--host'} ${far} can be reached from other machines, and this server would let anyone there publish and subscribe; ` +
      'set --publisher-key, and --subscriber-key or --anonymous; or --authorize; or say --open if that is what you want; or listen on 127.0.0.1'
  )
}

/**
 * What a running server must not become by a reload: open, where it was guarded or where other machines reach it. A file that was
 * cut off looks like one without keys.
 * @throws ConfigError that says what to do
 */
export function checkReload(next: Config, running: Config): void {
  if (isGuarded(running) && !isGuarded(next) && !next.open) {
    throw new ConfigError(
      'the new configuration has no keys and no --authorize, and the running server is protected by them; ' +
        'put them back, or say --open if anyone may publish and subscribe'
    )
  }
  checkReach(next, running)
}

/** Who may use a socket in the file system is said by its folder. */
function hostOf(address: string): string {
  return address.startsWith('unix:') ? 'localhost' : readAddress(address).host
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}
