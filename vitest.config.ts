import { configDefaults, defineConfig } from 'vitest/config'
import LongestFirst from './test/support/sequencer.ts'

/** Builds an application of Next.js, which takes minutes: in `npm run test:soak` only. */
const long = ['test/integrations/nextjs.test.ts']

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...(process.env.TEST_SOAK === '1' ? [] : long)],
    setupFiles: ['test/support/leaks.ts'],
    reporters: ['default', './test/support/summary-reporter.ts'],
    // Files share the process of their worker, which saves half a second of each: every test is a leak test, so none finds what
    // another left open. A process, because a thread cannot change the directory or get signals.
    pool: 'forks',
    isolate: false,
    // What was built is imported as Node.js does it, and not transformed again for each file.
    server: { deps: { external: [/\/dist\//, /\/build\/fault-/] } },
    // Most of a test's time is spent waiting for another process, so four files keep two cores busy.
    maxWorkers: 4,
    sequence: { sequencer: LongestFirst },
    // A wait ends as soon as what it waits for is there; on a busy machine that takes longer.
    expect: { poll: { timeout: 30_000 } },
    testTimeout: 300_000,
    hookTimeout: 120_000
  }
})
