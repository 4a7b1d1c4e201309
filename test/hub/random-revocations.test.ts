// Random revocations of random streams agree with a simple model, and the comparison detects planted faults.
import { expect, it, onTestFinished, vi } from 'vitest'
import * as library from '../../dist/index.js'
import { type Fault, plant } from '../support/histories/fault-injection.ts'
import { playRevocations } from '../support/hub/revocation-model.ts'
import { isSoak, randomFrom, seed } from '../support/random.ts'

const runs = isSoak ? 200 : 15
const steps = 200

function fakeClock(): (now: number) => void {
  vi.useFakeTimers({ toFake: ['Date'] })
  onTestFinished(() => void vi.useRealTimers())
  return (now) => void vi.setSystemTime(now)
}

it(`end and refuse exactly what they concern until they are lifted (seed ${seed})`, { timeout: 600_000 }, async () => {
  console.log(`revocations: seed ${seed}, ${runs} runs of ${steps} steps (TEST_SEED sets another)`)
  const setTime = fakeClock()
  for (let run = 0; run < runs; run++) await playRevocations(library, randomFrom(seed + run), steps, setTime)
})

const faults: Fault[] = [
  {
    name: 'a token that was issued in the same moment is accepted',
    file: 'hub/revocation/revocation.js',
    find: '(token.issuedAt ?? at) <= at',
    replace: '(token.issuedAt ?? at) < at'
  },
  {
    name: 'a longer revocation is replaced by a shorter one',
    file: 'hub/revocation/revocation.js',
    find: ' && endOf(one) >= endOf(other)',
    replace: ''
  },
  {
    name: 'a stream of the other node is not ended',
    file: 'hub/streams.js',
    find: 'this.revocations.arrived(entries);',
    replace: ''
  },
  {
    name: 'the list is not loaded at start',
    file: 'hub/streams.js',
    find: 'this.revocations.load()',
    replace: '({ found() {}, end() {} })'
  },
  {
    name: 'the other node goes on refusing what was lifted',
    file: 'hub/revocation/revocations.js',
    find: 'else if (member === null)',
    replace: 'else if (member === 0)'
  }
]

it.each(faults)('detects: $name', async (fault) => {
  const faulty = await plant(fault)
  const setTime = fakeClock()
  const play = async () => {
    for (let run = 0; run < 50; run++) await playRevocations(faulty, randomFrom(20_261_122 + run), steps, setTime)
  }
  await expect(play()).rejects.toThrow(/expected (true|false)/)
})
