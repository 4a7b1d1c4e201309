// Which updates leave a list when the publisher deletes them.
import { expect, it } from 'vitest'
import type { Update } from '../../dist/client/index.js'
import { withoutDeleted } from '../../dist/react/deletion.js'

const update = (id: string, ...topics: string[]): Update => ({
  id,
  topics,
  topic: topics[0],
  type: 'message',
  data: id,
  time: 0
})
const ids = (updates: readonly Update[]) => updates.map(({ id }) => id)

it('removes what has one of the topics, and keeps the rest', () => {
  const updates = [update('#e-1', 'a'), update('#e-2', 'b', 'a'), update('#e-3', 'b')]
  expect(ids(withoutDeleted(updates, { topics: ['a'], through: '#e-3' }))).toEqual(['#e-3'])
})

it('keeps what was published while the hub made the deletion', () => {
  const updates = [update('mine-1', 'a'), update('#e-z', 'a'), update('#e-10', 'a'), update('mine-2', 'a')]
  expect(ids(withoutDeleted(updates, { topics: ['a'], through: '#e-z' }))).toEqual(['#e-10', 'mine-2'])
})

it('removes the updates of an earlier epoch', () => {
  const updates = [update('#before-9', 'a'), update('#e-1', 'a')]
  expect(ids(withoutDeleted(updates, { topics: ['a'], through: '#e-1' }))).toEqual([])
})

it('removes one update by its id: the oldest, if several have it', () => {
  const updates = [update('x', 'a'), update('y', 'a'), update('x', 'a')]
  expect(ids(withoutDeleted(updates, { topics: ['a'], id: 'x' }))).toEqual(['y', 'x'])
  expect(withoutDeleted(updates, { topics: ['a'], id: 'z' })).toBe(updates)
})
