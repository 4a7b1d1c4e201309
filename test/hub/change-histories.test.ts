// Random histories of clients that change their streams, and a test of that test: planted faults must be detected.
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import * as tidings from '../../dist/index.js'
import { anyChangeHistory, type ChangeHistory, playChanges } from '../support/histories/change-histories.ts'
import { type Fault, plant } from '../support/histories/fault-injection.ts'

const runs = Number(process.env.TEST_HISTORIES ?? 150)
const seed = Number(process.env.TEST_SEED ?? Date.now() % 2 ** 31)

it(`a stream that is changed has exactly its entries, in order, each once (seed ${seed})`, {
  timeout: 300_000
}, async () => {
  console.log(`change histories: seed ${seed}, ${runs} runs (TEST_SEED and TEST_HISTORIES set others)`)
  const property = fc.asyncProperty(anyChangeHistory, (history) => playChanges(tidings, history))
  await fc.assert(property, { numRuns: runs, seed, interruptAfterTimeLimit: 240_000, markInterruptAsFailure: true })
})

const faults: Fault[] = [
  {
    name: 'a replay repeats what was delivered',
    file: 'hub/control/replay.js',
    find: 'if (delivered.has(topics, isPrivate, here))',
    replace: 'if (false)'
  },
  {
    name: 'replayed events move the position back',
    file: 'hub/delivery/frame.js',
    find: 'encode({ data: JSON.stringify(envelopeOf(entry)) })',
    replace: 'encode({ id: entry.id, data: JSON.stringify(envelopeOf(entry)) })'
  },
  {
    name: 'what a sweep has yet to write is skipped',
    file: 'hub/delivery/sweeper.js',
    find: 'Math.max(cursor, next - 1)',
    replace: 'head'
  },
  {
    name: 'a change takes effect late',
    file: 'hub/delivery/window.js',
    find: 'offset + scanLimit, through)',
    replace: 'offset + scanLimit)'
  },
  {
    name: 'a stream stays in its old audience',
    file: 'hub/control/changes.js',
    find: 'audiences.remove(subscriber, before);',
    replace: ''
  },
  {
    name: 'a stream says twice that it is live',
    file: 'hub/control/changes.js',
    find: 'stream.mustAnnounceLive = false;',
    replace: ''
  },
  {
    name: 'a stream that has caught up does not say that it is live',
    file: 'hub/delivery/catch-up.js',
    find: 'this.#changes.announceLive(subscriber);',
    replace: ''
  },
  {
    name: 'the opening says that a stream is live which has to catch up',
    file: 'hub/streams.js',
    find: 'epoch === this.epoch && after >= this.window.head',
    replace: 'true'
  },
  {
    name: 'a topic counts as delivered from before it was added',
    file: 'hub/control/controlled.js',
    find: 'this.#coverage.added(selector, after);',
    replace: '{}'
  }
]

/** A client that does not read, so that its change waits while others publish. Random histories seldom fill a connection. */
const slow: ChangeHistory = {
  log: 'memory',
  window: 30,
  batchBytes: 262_144,
  holes: 0,
  clients: [['a']],
  steps: [
    { do: 'pause', client: 0 },
    ...Array.from({ length: 16 }, () => ({ do: 'publish' as const, topics: ['a'], size: 60_000, count: 8 })),
    { do: 'change', client: 0, add: ['b'], remove: [], from: 'none', wait: true },
    { do: 'publish', topics: ['b'], size: 5, count: 2 }
  ]
}

it.each(faults)('detects: $name', async (fault) => {
  const library = await plant(fault)
  const property = fc.asyncProperty(anyChangeHistory, (history) => playChanges(library, history, 4_000))
  const limits = { numRuns: 3_000, interruptAfterTimeLimit: 100_000 }
  const options = { ...limits, seed: 20_261_123, endOnFailure: true, examples: [[slow]] as [ChangeHistory][] }
  const result = await fc.check(property, options)
  expect(result.failed && result.errorInstance, `not seen in ${result.numRuns} histories`).toBeInstanceOf(Error)
})
