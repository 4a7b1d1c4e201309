// A process of the mutation run: it keeps Vitest open, and runs the named tests of its folder again for each message. This saves
// starting Vitest and compiling the tests for each mutant; the tests themselves run in fresh processes, which import the changed file.
import { createVitest } from 'vitest/node'

const vitest = await createVitest(
  'test',
  { root: process.cwd(), watch: false, bail: 1, maxWorkers: 2, reporters: [{}] },
  { server: { watch: null } }
)
await vitest.standalone()

/** @param {{ changed: string, suites: string[], only: string }} given @returns {Promise<boolean>} */
async function passes({ changed, suites, only }) {
  // Failures that it remembers would end the next run at its first test.
  vitest.state.idMap.clear()
  vitest.state.filesMap.clear()
  vitest.invalidateFile(changed)
  vitest.setGlobalTestNamePattern(only)
  const found = await vitest.globTestSpecifications(suites)
  const { testModules, unhandledErrors } = await vitest.runTestSpecifications(found)
  if (testModules.length === 0) throw new Error(`no tests in ${suites}`)
  return unhandledErrors.length === 0 && testModules.every((module) => module.ok())
}

process.on('message', async (given) => {
  process.send?.(await passes(/** @type {{ changed: string, suites: string[], only: string }} */ (given)))
})
process.send?.('ready')
