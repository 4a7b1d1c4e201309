// Reads the files of a configuration: YAML or JSON with options by name, and files that hold one secret.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { suggestion } from './spelling.ts'

/** The configuration cannot be read. `message` names the file, the key or the variable, and says what to do. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/** The keys that a file may have, and those that it had under a former name. */
interface Keys {
  readonly names: readonly string[]
  readonly renamed: Readonly<Record<string, string>>
}

/**
 * The values in a configuration file, by key. A file without any option is refused: it is truncated, or the wrong file.
 * @throws ConfigError that names the file, and the line or the key that is wrong
 */
export function readConfigFile(path: string, keys: Keys): Record<string, unknown> {
  // Loaded here, since most servers have no configuration file.
  const { LineCounter, parseDocument } = createRequire(import.meta.url)('yaml') as typeof import('yaml')
  const lineCounter = new LineCounter()
  const document = parseDocument(readText(path, 'the configuration file'), { lineCounter, prettyErrors: false })
  const [error] = document.errors
  if (error) {
    const { line, col } = lineCounter.linePos(error.pos[0])
    throw new ConfigError(`${path}, line ${line}, column ${col}: ${error.message}`)
  }
  const values: unknown = document.toJS()
  if (values === undefined || values === null || Object.keys(values).length === 0) {
    throw new ConfigError(`${path}: the file has no options; add one, such as "port: 5000", or do not name the file`)
  }
  if (typeof values !== 'object' || Array.isArray(values)) {
    throw new ConfigError(`${path}: expected keys and values, such as "port: 5000"`)
  }
  for (const key of Object.keys(values)) {
    if (!keys.names.includes(key)) throw new ConfigError(`${path}: "${key}" is not an option${hint(key, keys)}`)
  }
  return values as Record<string, unknown>
}

/**
 * The secret in a file.
 * @param source the variable that names the file
 * @throws ConfigError if it cannot be read, or is empty: a truncated file must not count as "no key"
 */
export function readSecretFile(path: string, source: string): string {
  const text = readText(path, `${source}: the file`).trim()
  if (text !== '') return text
  throw new ConfigError(`${source}: the file ${path} is empty; write the secret into it, or unset ${source}`)
}

function readText(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new ConfigError(`${what} ${path} cannot be read: ${(error as NodeJS.ErrnoException).code}`)
  }
}

function hint(key: string, { names, renamed }: Keys): string {
  return Object.hasOwn(renamed, key) ? `; it was renamed to "${renamed[key]}"` : suggestion(key, names)
}
