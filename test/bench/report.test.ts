// What rounds become in the tables of the benchmarks.
import { expect, it } from 'vitest'
import { type Column, markdown, summaries } from '../../bench/support/report.ts'

interface Round {
  rate: number
  lost: number
}

const columns: Column<Round>[] = [
  { title: 'rate', ratio: true, over: 'median', value: ({ rate }) => rate },
  { title: 'lost', ratio: false, over: 'sum', value: ({ lost }) => lost }
]

const rounds = (...rates: number[]) => rates.map((rate) => ({ rate, lost: 1 }))

it('shows a rate by its median and beside the reference, and adds up what was lost', () => {
  const all = [
    { contender: 'other', outcomes: rounds(30, 10, 20) },
    { contender: 'ours', outcomes: rounds(40, 40) }
  ]
  const [other] = summaries(columns, all, 'ours')
  expect(other?.cells).toEqual([
    { column: 'rate', median: 20, min: 10, max: 30, ratio: 0.5 },
    { column: 'lost', median: 3, min: 1, max: 1 }
  ])
})

it('leaves a round that failed out of the figures, and tells why it did', () => {
  const all = [{ contender: 'ours', outcomes: [...rounds(10), { failure: 'nobody answers' }] }]
  const text = markdown('title', 'how', summaries(columns, all, 'ours'))
  expect(text).toMatch(/ours +\| 10 \(10–10\) ×1 \| +1 \|/)
  expect(text).toContain('**ours** failed a round: nobody answers')
})
