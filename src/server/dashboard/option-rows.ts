// The effective value and the origin of every option, for the dashboard. It shows no secret.
import type { OptionRow } from '../../dashboard-api/server.ts'
import { masked } from '../../http/dashboard/health.ts'
import type { Sources } from '../config/config.ts'
import { type Config, flagFor, type Option, options, variableFor } from '../config/options.ts'
import { format, type Value } from '../config/value.ts'

/** Where each option was given that was given: the flag, the variable, or the file and its key. It holds no value. */
export type Origins = Readonly<Record<string, string>>

export function originsOf(sources: Sources): Origins {
  return Object.fromEntries([...sources].map(([name, { source }]) => [name, source]))
}

export function optionRows(config: Config, origins: Origins): OptionRow[] {
  return options.map((option) => {
    const { name, section, reload, help } = option
    // `data` is a short form of `store`.
    const source = origins[name] ?? (name === 'store' ? origins.data : undefined) ?? null
    return {
      name,
      section,
      flag: flagFor(name),
      variable: variableFor(name),
      value: shown(option, config[name] as Value),
      default: shown(option, option.default),
      origin: originOf(source),
      source,
      isDefault: JSON.stringify(config[name]) === JSON.stringify(option.default),
      reload,
      help
    }
  })
}

function originOf(source: string | null): OptionRow['origin'] {
  if (source === null) return 'default'
  if (source.startsWith('--')) return 'flag'
  return source.startsWith('TIDINGS_') ? 'variable' : 'file'
}

function shown({ kind }: Option, value: Value): string {
  if (kind === 'secret') return value === '' ? '(not set)' : '(set)'
  const text = format(kind, value)
  return kind === 'rules' ? text : masked(text)
}
