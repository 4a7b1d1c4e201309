// Turns the trials of one scenario into summaries and a Markdown table; it measures nothing.
import { type Spread, spread } from '../support/stats.ts'
import { figure, table } from '../support/table.ts'
import { type Column, columnsOf } from './columns.ts'
import { described, type Scenario } from './scenarios.ts'
import type { Outcome } from './trial.ts'

/** A contender's outcomes, one a round. */
export interface Series {
  contender: string
  outcomes: Outcome[]
}

export interface Cell extends Spread {
  column: string
  ratio?: number
}

export interface Summary {
  contender: string
  cells: Cell[]
  failures: string[]
}

export function summaries(scenario: Scenario, all: readonly Series[]): Summary[] {
  const reference = all.find(({ contender }) => contender === 'tidings') ?? all[0]
  return all.map((series) => ({
    contender: series.contender,
    cells: columnsOf(scenario).map((column) => cell(column, series, reference ?? series)),
    failures: series.outcomes.flatMap((outcome) => ('failure' in outcome ? [outcome.failure] : []))
  }))
}

export function markdown(scenario: Scenario, all: readonly Summary[]): string {
  const head = ['contender', ...columnsOf(scenario).map(({ title }) => title)]
  const rows = all.map(({ contender, cells }) => [contender, ...cells.map(shown)])
  const failures = all.flatMap(({ contender, failures }) =>
    failures.map((why) => `- **${contender}** failed a round: ${why}`)
  )
  const parts = [
    `## ${scenario.name}: ${scenario.title}`,
    `${described(scenario)}.`,
    table(head, rows),
    failures.join('\n')
  ]
  return parts.filter((part) => part !== '').join('\n\n')
}

function cell(column: Column, series: Series, reference: Series): Cell {
  const numbers = valuesOf(column, series)
  const range = spread(numbers)
  if (column.over === 'max') range.median = range.max
  if (column.over === 'sum') range.median = numbers.reduce((sum, value) => sum + value, 0)
  const base = { column: column.title, ...range }
  return column.ratio ? { ...base, ratio: range.median / spread(valuesOf(column, reference)).median } : base
}

function valuesOf(column: Column, { outcomes }: Series): number[] {
  return outcomes.flatMap((outcome) => column.value(outcome) ?? [])
}

function shown({ median, min, max, ratio }: Cell): string {
  if (ratio === undefined) return figure(median)
  return `${figure(median)} (${figure(min)}–${figure(max)}) ×${figure(ratio)}`
}
