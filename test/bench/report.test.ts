// Formatting of benchmark rounds as tables.
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

it('shows the median rate beside the reference, and the total loss', () => {
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

it('excludes a failed round from the results, and reports the reason', () => {
  const all = [{ contender: 'ours', outcomes: [...rounds(10), { failure: 'nobody answers' }] }]
  const text = markdown('title', 'how', summaries(columns, all, 'ours'))
  expect(text).toMatch(/ours +\| 10 \(10–10\) ×1 \| +1 \|/)
  expect(text).toContain('**ours** failed a round: nobody answers')
})
