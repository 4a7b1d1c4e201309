// A test of the tests: each planted fault breaks an invariant in a copy of the library, and the histories must detect it.
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { type Fault, plant } from '../support/histories/fault-injection.ts'
import { anyHistory, play } from '../support/histories/histories.ts'

const faults: Fault[] = [
  {
    name: 'an await before the switch to live',
    file: 'hub/delivery/catch-up.js',
    find: 'subscriber.becomeLive();',
    replace: "setImmediate(() => { if (subscriber.state === 'behind') subscriber.becomeLive() });"
  },
  {
    name: 'sending while behind',
    file: 'hub/delivery/sweeper.js',
    find: "subscriber.state !== 'live'",
    replace: "subscriber.state === 'closed'"
  },
  {
    name: 'a gap skipped during catch-up',
    file: 'hub/delivery/catch-up.js',
    find: 'if (lost || ',
    replace: 'if ((lost && !cursor) || '
  },
  {
    name: 'a gap skipped on resume',
    file: 'hub/history/position.js',
    find: "return lost ? begin(requested, 'trimmed', after)",
    replace: "return false ? begin(requested, 'trimmed', after)"
  },
  {
    name: 'a gap skipped between log and hub',
    file: 'hub/delivery/dispatcher.js',
    find: 'this.#fallBehind(subscriber, flightCodes.skipped);\n        void presence',
    replace: '{}\n        void presence'
  },
  {
    name: 'writing to a full connection',
    file: 'hub/subscriber.js',
    find: "this.#fullSince = this.#lastWrite;\n        if (this.state === 'live')\n            this.fallBehind(flightCodes.full, this.#bufferedAt);",
    replace: ''
  },
  {
    name: 'an entry dropped at the end of a scan',
    file: 'hub/delivery/window.js',
    find: 'Math.min(this.head, offset + scanLimit, through)',
    replace: 'Math.min(this.head - 1, offset + scanLimit, through)'
  },
  {
    name: 'a stream that stays open after the end of its topics',
    file: 'hub/delivery/endings.js',
    find: "member.dismiss('ended', endedRetryMs)",
    replace: '{}'
  },
  {
    name: 'nothing left to receive, with something left',
    file: 'hub/history/position.js',
    find: 'ended && last <= position.after',
    replace: 'ended'
  },
  {
    name: 'a deleted entry that is still in the log',
    file: 'log/memory/retained-entries.js',
    find: 'if (entry && this.#isDeleted(entry))',
    replace: 'if (entry && entry.update.end && this.#isDeleted(entry))'
  },
  {
    name: 'a gap for a deletion',
    file: 'log/memory/retained-entries.js',
    find: 'if (entry && this.#isDeleted(entry))\n                this.#remove(entry);',
    replace:
      'if (entry && this.#isDeleted(entry)) { this.#remove(entry); this.#removals.add(entry.update.topics, false, offset) }'
  },
  {
    name: 'a gap header that disagrees with the stream',
    file: 'http/simple/stream-head.js',
    find: "'Last-Event-ID': encodeHeader(id)",
    replace: "'Last-Event-ID': '#x-1'"
  }
]

const seed = 20_261_122

it.each(faults)('detects: $name', async (fault) => {
  const library = await plant(fault)
  const property = fc.asyncProperty(anyHistory, (history) => play(library, history, 4_000))
  const result = await fc.check(property, {
    numRuns: 3_000,
    seed,
    endOnFailure: true,
    interruptAfterTimeLimit: 100_000
  })
  expect(result.failed && result.errorInstance, `not seen in ${result.numRuns} histories`).toBeInstanceOf(Error)
})
