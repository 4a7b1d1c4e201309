// Reads a configuration file, YAML or JSON, whose keys are the names of the options. It knows no option itself.
import { readFileSync } from 'node:fs'
import { parseDocument } from 'yaml'
import { ConfigError } from './value.ts'

/**
 * What a file says, by key. A file without any option is refused: it was cut off, or is not the one that was meant.
 * @throws ConfigError that names the file, and the line or the key that is wrong.
 */
export function readConfigFile(path: string, known: readonly string[]): Record<string, unknown> {
  const document = parseDocument(readText(path))
  const [error] = document.errors
  if (error) throw new ConfigError(`${path}: ${(error.message.split('\n')[0] as string).replace(/:$/, '')}`)
  const values: unknown = document.toJS()
  if (values === undefined || values === null || Object.keys(values).length === 0) {
    throw new ConfigError(`${path}: the file holds no options; write one, such as "port: 5000", or leave out --config`)
  }
  if (typeof values !== 'object' || Array.isArray(values)) {
    throw new ConfigError(`${path}: expected keys and values, such as "port: 5000"`)
  }
  for (const key of Object.keys(values)) {
    if (!known.includes(key)) throw new ConfigError(`${path}: "${key}" is not known${suggestion(key, known)}`)
  }
  return values as Record<string, unknown>
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new ConfigError(`the configuration ${path} cannot be read: ${(error as NodeJS.ErrnoException).code}`)
  }
}

function suggestion(key: string, known: readonly string[]): string {
  const alike = known.find((name) => normal(name) === normal(key)) ?? nearest(key, known)
  return alike === undefined ? '; tidings serve --help lists what there is' : `; did you mean "${alike}"?`
}

const normal = (name: string) => name.replace(/[-_]/g, '').toLowerCase()

/** The known key that is at most two letters away, as typos are. */
function nearest(key: string, known: readonly string[]): string | undefined {
  const [best] = known.map((name) => ({ name, far: distance(key, name) })).sort((a, b) => a.far - b.far)
  return best && best.far <= 2 ? best.name : undefined
}

/** How many letters have to be changed, added or left out (Levenshtein). */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let line = 1; line <= from.length; line++) {
    const next = [line]
    for (let column = 1; column <= to.length; column++) {
      const change = (row[column - 1] as number) + (from[line - 1] === to[column - 1] ? 0 : 1)
      next.push(Math.min(change, (row[column] as number) + 1, (next[column - 1] as number) + 1))
    }
    row = next
  }
  return row[to.length] as number
}
