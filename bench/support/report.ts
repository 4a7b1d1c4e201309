// Turns the outcomes of rounds into summaries and a Markdown table.
import { type Spread, spread } from './stats.ts'
import { figure, table } from './table.ts'

/** A column: its title, how its number is read from an outcome, and how the rounds are combined. */
export interface Column<Outcome> {
  title: string
  /** Whether to show the ratio to the reference. Sums of faults and shares of a core have none. */
  ratio: boolean
  /**
   * How the rounds are combined. Faults are added up, and the worst disturbance is shown. A median would hide one round with a
   * loss, or two rounds on a busy machine.
   */
  over: 'median' | 'sum' | 'max'
  value(outcome: Outcome): number | undefined
}

/** The reason why a round could not be measured. */
export interface Failure {
  failure: string
}

/** The outcomes of a contender, one per round. */
export interface Series<Outcome> {
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

/** Ratios are relative to the reference contender, or else to the first one. */
export function summaries<Outcome extends object>(
  columns: readonly Column<Outcome>[],
  all: readonly Series<Outcome | Failure>[],
  reference: string
): Summary[] {
  const one = all.find(({ contender }) => contender === reference) ?? all[0]
  return all.map((series) => ({
    contender: series.contender,
    cells: columns.map((column) => cell(column, series, one ?? series)),
    failures: series.outcomes.flatMap((outcome) => ('failure' in outcome ? [outcome.failure] : []))
  }))
}

export function markdown(title: string, described: string, all: readonly Summary[]): string {
  const head = ['contender', ...(all[0]?.cells.map(({ column }) => column) ?? [])]
  const rows = all.map(({ contender, cells }) => [contender, ...cells.map(shown)])
  const failures = all.flatMap(({ contender, failures }) =>
    failures.map((why) => `- **${contender}** failed a round: ${why}`)
  )
  const parts = [`## ${title}`, `${described}.`, table(head, rows), failures.join('\n')]
  return parts.filter((part) => part !== '').join('\n\n')
}

function cell<Outcome extends object>(
  column: Column<Outcome>,
  series: Series<Outcome | Failure>,
  reference: Series<Outcome | Failure>
): Cell {
  const numbers = valuesOf(column, series)
  const range = spread(numbers)
  if (column.over === 'max') range.median = range.max
  if (column.over === 'sum') range.median = numbers.reduce((sum, value) => sum + value, 0)
  const base = { column: column.title, ...range }
  return column.ratio ? { ...base, ratio: range.median / spread(valuesOf(column, reference)).median } : base
}

function valuesOf<Outcome extends object>(column: Column<Outcome>, { outcomes }: Series<Outcome | Failure>): number[] {
  return outcomes.flatMap((outcome) => ('failure' in outcome ? [] : (column.value(outcome) ?? [])))
}

function shown({ median, min, max, ratio }: Cell): string {
  if (ratio === undefined) return figure(median)
  return `${figure(median)} (${figure(min)}–${figure(max)}) ×${figure(ratio)}`
}
