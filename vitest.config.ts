import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/support/leaks.ts'],
    reporters: ['default', './test/support/summary-reporter.ts'],
    // Each file in a process of its own: what one leaves open cannot be blamed on another.
    pool: 'forks',
    // Most of a test's time is spent waiting for another process.
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 60_000
  }
})
