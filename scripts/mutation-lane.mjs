// A process of the mutation run: it keeps Vitest open, and runs the named tests of its folder again for each message. This saves
// starting Vitest and compiling the tests for each mutant; the tests themselves run in fresh processes. They
// import the changed file as it is: vitest.config.ts excludes dist from what Vitest transforms and caches.
import { createVitest } from 'vitest/node'

const vitest = await createVitest(
  'test',
  { root: process.cwd(), watch: false, bail: 1, maxWorkers: 2, isolate: true, reporters: [{}] },
  { server: { watch: null } }
)
await vitest.standalone()

/** @param {{ suites: string[], only: string }} given @returns {Promise<string | undefined>} the name of a test that failed */
async function findFailure({ suites, only }) {
  // Failures that it remembers would end the next run at its first test.
  vitest.state.idMap.clear()
  vitest.state.filesMap.clear()
  vitest.setGlobalTestNamePattern(only)
  const { testModules, unhandledErrors } = await vitest.runTestSpecifications(
    await vitest.globTestSpecifications(suites)
  )
  if (testModules.length === 0) throw new Error(`no tests in ${suites}`)
  for (const module of testModules) {
    for (const test of module.children.allTests('failed')) return test.fullName
    if (!module.ok()) return module.relativeModuleId
  }
  return unhandledErrors.length > 0 ? 'an unhandled error' : undefined
}

process.on('message', async (given) => {
  const failure = await findFailure(/** @type {{ suites: string[], only: string }} */ (given))
  process.send?.({ failure })
})
process.send?.('ready')
