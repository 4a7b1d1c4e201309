// Says in words which retention rule applies to a topic, and what it keeps.
import type { Inspection } from '../../dashboard-api/streams.ts'
import { type ParsedRule, RetentionRules } from '../../log/retention/rules.ts'
import { formatDuration, formatSize } from '../../units.ts'
import type { DashboardParts } from './options.ts'

export function describeRetention(
  topic: string,
  { rules, otherwise }: ReturnType<DashboardParts['retention']>
): Inspection['retention'] {
  const parsed = new RetentionRules(rules)
  const rule = parsed.rules[parsed.ruleOf({ topics: [topic], data: '' })]
  return rule ? { rule: asWritten(rule), keeps: boundsOf(rule) } : { rule: null, keeps: otherwise }
}

/** Durations and sizes with their units, as in a configuration. */
function asWritten(rule: ParsedRule): string {
  return JSON.stringify(rule, (name, value: unknown) => {
    if (typeof value !== 'number') return value
    if (name === 'age') return formatDuration(value)
    return name === 'bytes' ? formatSize(value) : value
  })
}

function boundsOf({ last, entries, bytes, age }: ParsedRule): string {
  const bounds = [
    last !== undefined && `the newest ${last === 1 ? 'update' : `${last} updates`} of each topic`,
    entries !== undefined && `at most ${entries} updates of all topics of the rule`,
    bytes !== undefined && `at most ${formatSize(bytes)} of all topics of the rule`,
    age !== undefined && `updates for ${formatDuration(age)}`
  ].filter((bound) => bound !== false)
  return bounds.length === 0 ? 'everything' : bounds.join(', and ')
}
