import * as fc from 'fast-check'
import { it } from 'vitest'
import * as tidings from '../../dist/index.js'
import { anyHistory, play } from '../support/histories/histories.ts'

const runs = Number(process.env.TEST_HISTORIES ?? 200)
const seed = Number(process.env.TEST_SEED ?? Date.now() % 2 ** 31)

it(`every client receives its entries in order, each once, or a gap event (seed ${seed})`, {
  timeout: 300_000
}, async () => {
  console.log(`histories: seed ${seed}, ${runs} runs (TEST_SEED and TEST_HISTORIES set others)`)
  const property = fc.asyncProperty(anyHistory, (history) => play(tidings, history))
  await fc.assert(property, { numRuns: runs, seed, interruptAfterTimeLimit: 240_000, markInterruptAsFailure: true })
})
