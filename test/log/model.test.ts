// Each log against a plain model under random histories: appends, restarts with other rules, and a clock that moves in both
// directions.
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { LmdbLog, type Log, MemoryLog, RedisLog, type RetentionRule } from '../../dist/index.js'
import { newFolder, readAll } from '../support/log/log-folder.ts'
import { LogModel, offsetsOf } from '../support/log/log-model.ts'
import { openWorker } from '../support/log/workers.ts'
import { isSoak } from '../support/random.ts'
import { redis } from '../support/requirements.ts'
import { newPrefix, redisForTest } from '../support/servers/redis.ts'

// The last is too long for an LMDB key, and short enough for the removal index.
const topics = ['a', 'b', 'x/1', 'x/2', 'y/1', 'z'.repeat(700)]
const topic = fc.constantFrom(...topics)
const bound = fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined })
/** The selectors of the rules, as a reference implementation that does not depend on `src/topics`. */
const selectors: Record<string, (topic: string) => boolean> = {
  a: (name) => name === 'a',
  'x/{n}': (name) => name.startsWith('x/'),
  'y/{n}': (name) => name.startsWith('y/'),
  '{+all}': () => true,
  '*': () => true
}
const rule = fc
  .record({
    match: fc.constantFrom(...Object.keys(selectors)),
    last: bound,
    entries: bound,
    bytes: bound,
    age: bound
  })
  .map(({ match, last, entries, bytes, age }): RetentionRule => {
    return {
      match,
      ...(last && { last }),
      ...(entries && { entries }),
      ...(bytes && { bytes: bytes * 400 }),
      ...(age && { age: age * 100 })
    }
  })
const rules = fc.array(rule, { maxLength: 3 })
const update = fc.record({
  topics: fc.uniqueArray(topic, { minLength: 1, maxLength: 3 }),
  data: fc.constantFrom('', 'short', 'x'.repeat(500)),
  id: fc.constantFrom(undefined, 'i', 'j'),
  private: fc.boolean(),
  end: fc.boolean()
})
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      append: fc.array(update, { minLength: 1, maxLength: 6 }),
      later: fc.integer({ min: -100, max: 200 })
    })
  },
  {
    weight: 1,
    arbitrary: fc.record({
      delete: fc.uniqueArray(topic, { minLength: 1, maxLength: 2 }),
      /** How many of the newest entries it spares, and whether it deletes a single offset. */
      spares: fc.nat({ max: 2 }),
      single: fc.boolean()
    })
  },
  { weight: 1, arbitrary: fc.record({ reopen: fc.option(rules, { nil: undefined }) }) }
)
const covers = (selector: string, name: string) => selectors[selector]?.(name) === true
const filters = [
  { admits: () => true },
  ...topics.map((one) => ({ admits: (found: readonly string[]) => found.includes(one), topics: [one] })),
  { admits: (found: readonly string[], isPrivate: boolean) => !isPrivate && found.includes('a') }
]

type Step = (typeof step extends fc.Arbitrary<infer Value> ? Value : never) & object
type OwnedLog = LmdbLog | MemoryLog
type Open<AnyLog = Log> = (retention: readonly RetentionRule[], now: () => number) => Promise<AnyLog>

const logs: [string, boolean, () => Open<OwnedLog>][] = [
  [
    'LmdbLog',
    true,
    () => {
      const path = newFolder()
      return (retention, now) => LmdbLog.open({ path, retention, now, durability: 'os' })
    }
  ],
  ['MemoryLog', false, () => async (retention, now) => new MemoryLog({ retention, now })]
]
/** The same logs in a worker of the process that has them. */
const inWorkers = logs.map(([name, lasts, prepare]): [string, boolean, () => Open] => {
  const inWorker =
    (open: Open<OwnedLog>): Open =>
    (retention, now) =>
      open(retention, now).then(openWorker)
  return [`WorkerLog over ${name}`, lasts, () => inWorker(prepare())]
})

it.each(logs)('%s keeps, removes, finds and reports exactly what its rules state', async (_, lasts, prepare) => {
  const histories = fc.array(step, { minLength: 1, maxLength: 25 })
  const property = fc.asyncProperty(rules, histories, (first, steps) => play(prepare(), first, steps, lasts))
  await fc.assert(property, { numRuns: isSoak ? 1_500 : 50 })
})

it.each(inWorkers)(
  '%s keeps, removes, finds and reports exactly what the rules of the log state',
  async (_, lasts, prepare) => {
    const histories = fc.array(step, { minLength: 1, maxLength: 15 })
    const property = fc.asyncProperty(rules, histories, (first, steps) => play(prepare(), first, steps, lasts))
    await fc.assert(property, { numRuns: isSoak ? 300 : 20 })
  }
)

const found = await redis()

it.skipIf('missing' in found)('RedisLog keeps, removes, finds and reports exactly what its rules state', async () => {
  const { url } = await redisForTest('path' in found ? found.path : '')
  const histories = fc.array(step, { minLength: 1, maxLength: 15 })
  const property = fc.asyncProperty(rules, histories, (first, steps) => {
    const prefix = newPrefix()
    return play((retention, now) => RedisLog.open({ url, prefix, retention, now }), first, steps, true)
  })
  await fc.assert(property, { numRuns: isSoak ? 400 : 20 })
})

async function play(open: Open, first: readonly RetentionRule[], steps: Step[], lasts: boolean): Promise<void> {
  let now = 1_000_000
  let retention = first
  const model = new LogModel(first, covers)
  let log = await open(retention, () => now)
  for (const one of steps) {
    if ('append' in one) {
      now += one.later
      const updates = one.append.map(({ id, private: isPrivate, end, ...rest }) => {
        return { ...rest, ...(id && { id }), ...(isPrivate && { private: true }), ...(end && { end }) }
      })
      await log.append(updates)
      model.append(updates, now)
    } else if ('delete' in one) {
      const { delete: topics, spares, single } = one
      const through = Math.max(model.head - spares, 0)
      const from = single ? through : 1
      const announcement = { topics, data: 'deleted' }
      await log.delete({ epoch: log.epoch, topics, from, through }, announcement)
      model.delete(topics, from, through, announcement, now)
    } else if (lasts) {
      await log.close()
      retention = one.reopen ?? retention
      log = await open(retention, () => now)
      model.reopen(retention, now)
    }
    await compare(log, model)
  }
  await log.close()
}

/** Looks once before it polls: nearly always this is enough, and a poll costs far more than a look. */
async function becomes<T>(look: () => Promise<T>, expected: T): Promise<void> {
  if (!isDeepStrictEqual(await look(), expected)) await expect.poll(look, { interval: 1 }).toEqual(expected)
}

async function compare(log: Log, model: LogModel): Promise<void> {
  // Only entries removed by a restart with other rules may disappear a little later.
  const kept = async () => offsetsOf((await readAll(log)).entries)
  const offsets = model.kept.map(({ offset }) => offset)
  await becomes(kept, offsets)
  await becomes(async () => log.first, offsets[0] ?? model.head + 1)
  expect(log.head).toBe(model.head)
  for (const filter of filters) {
    for (const after of [0, Math.floor(model.head / 2), model.head]) {
      const seen = async () => {
        const { entries, lost } = await readAll(log, { after, filter, entries: 3 })
        return { after, offsets: offsetsOf(entries), lost }
      }
      // A removal can be visible shortly before it is counted; a reader that continues still receives the gap.
      const expected = { after, offsets: model.read(after, filter), lost: model.lost(after, filter) }
      await becomes(seen, expected)
    }
    const found = model.read(0, filter)
    const expected = found.length < 2 ? (model.kept[0]?.offset ?? model.head + 1) - 1 : (found.at(-2) as number) - 1
    expect(await log.newest(filter, 2)).toBe(expected)
  }
  const ends = (await log.ends(topics)).map((entry) => entry?.offset)
  expect(ends).toEqual(topics.map((one) => model.endOf(one)))
  if (ends.some((end) => end !== undefined)) expect(log.hasEnds).toBe(true)
  for (const id of ['i', 'j', 'k']) expect(await log.locate(id)).toBe(model.locate(id))
}
