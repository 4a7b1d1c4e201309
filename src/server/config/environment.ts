// Reads the environment variables of a configuration, and finds those that configure nothing.
import { ConfigError, readSecretFile } from './file.ts'
import { type Option, options, renamed, variableFor } from './options.ts'
import { suggestion } from './spelling.ts'
import { mayHoldSecret } from './value.ts'

/** What was given for an option, not read yet. */
export interface Given {
  readonly value: unknown
  /** The flag, the variable, or the file and its key. */
  readonly source: string
}

/**
 * The value of an option's variable, or that of the file which the variable ending in `_FILE` names.
 * @throws ConfigError for a file that cannot be read
 */
export function findVariable({ name, kind }: Option, environment: NodeJS.ProcessEnv): Given | undefined {
  const variable = variableFor(name)
  const value = environment[variable]
  if (value !== undefined && !isOfService(variable, value)) return { value, source: variable }
  // Container platforms mount secrets as files.
  const source = `${variable}_FILE`
  const path = mayHoldSecret(kind) ? environment[source] : undefined
  return path === undefined ? undefined : { value: readSecretFile(path, source), source }
}

/** @throws ConfigError for the variable of an option that has another name now */
export function refuseRenamedVariables(environment: NodeJS.ProcessEnv): void {
  for (const [old, name] of Object.entries(renamed)) {
    for (const suffix of ['', '_FILE']) {
      const variable = variableFor(old) + suffix
      if (environment[variable] === undefined) continue
      throw new ConfigError(`${variable}: renamed to ${variableFor(name)}${suffix}`)
    }
  }
}

/** Variables of commands, and the one that tells a worker that it is one. */
const others = ['TIDINGS_URL', 'TIDINGS_TOKEN', 'TIDINGS_PRIMARY']

/** A sentence about each variable that looks like one of tidings but has no effect, since a typo has none either. */
export function unknownVariables(environment: NodeJS.ProcessEnv): string[] {
  const known = options.flatMap(({ name, kind }) => {
    const variable = variableFor(name)
    return mayHoldSecret(kind) ? [variable, `${variable}_FILE`] : [variable]
  })
  return Object.entries(environment)
    .filter(([name, value = '']) => name.startsWith('TIDINGS_') && !isOfService(name, value))
    .filter(([name]) => !known.includes(name) && !others.includes(name))
    .map(([name]) => `${name}: no option has this variable${suggestion(name, known)}`)
}

/** Kubernetes sets these in every pod of a namespace that has a service with the name `tidings`, or one that begins with it. */
function isOfService(name: string, value: string): boolean {
  if (name.endsWith('_PORT') && /^(tcp|udp|sctp):\/\//.test(value)) return true
  return /_SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)$|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/.test(name)
}
