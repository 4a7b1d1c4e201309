// The options of the server, in one table: from it come flags, environment variables, `--help` and validation. It starts
// nothing.
import { ConfigError, parse } from './config-value.ts'
import { type Config, options } from './options.ts'

export { ConfigError } from './config-value.ts'
export { type Config, type Option, options } from './options.ts'

/** `someName` → `--some-name` */
export function flagFor(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

/** `someName` → `TIDINGS_SOME_NAME` */
export function variableFor(name: string): string {
  return `TIDINGS_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`
}

/** A text that names options, with each as it is written on the command line. */
export function withFlags(text: string): string {
  return options.reduce((said, { name }) => said.replace(new RegExp(`\\b${name}\\b`, 'g'), flagFor(name)), text)
}

/**
 * Puts a configuration together: flags win over variables, variables over defaults.
 * @throws ConfigError that names the option, the value, and what was expected.
 */
export function configure(flags: Record<string, unknown>, environment: NodeJS.ProcessEnv): Config {
  const chosen = options.map((option) => {
    const fromFlag = flags[option.name]
    if (fromFlag !== undefined) return [option.name, parse(option, fromFlag, flagFor(option.name))]
    const fromVariable = environment[variableFor(option.name)]
    if (fromVariable !== undefined) return [option.name, parse(option, fromVariable, variableFor(option.name))]
    return [option.name, option.default]
  })
  const config = Object.fromEntries(chosen) as unknown as Config
  checkReach(config)
  return config
}

/** Whether tokens decide who may do what. */
export function hasKeys({ publisherKey, publisherJwks, subscriberKey, subscriberJwks, issuers }: Config): boolean {
  const isNamed = issuers.some((issuer) => typeof issuer !== 'string')
  return isNamed || [publisherKey, publisherJwks, subscriberKey, subscriberJwks].some((key) => key !== '')
}

/** Whoever could reach an open server from outside could publish; that is never to happen by accident. */
function checkReach(config: Config): void {
  const { host, open } = config
  if (open && hasKeys(config)) {
    throw new ConfigError(
      '--open lets anyone publish and subscribe, and there are keys for those who may; leave one of them out'
    )
  }
  if (open || hasKeys(config) || isLoopback(host)) return
  throw new ConfigError(
    `--host ${host} can be reached from other machines, and this server would let anyone there publish and subscribe; ` +
      'set --publisher-key, and --subscriber-key or --anonymous; or say --open if that is what you want; or listen on 127.0.0.1'
  )
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}
