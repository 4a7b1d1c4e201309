// The tests of hub, log, auth, sse, topics, http and the dashboard, with the coverage of dist. Processes that a test starts are not measured.
import { defineConfig } from 'vitest/config'
import base from './vitest.config.ts'

const measured = ['hub', 'log', 'auth', 'sse', 'topics']
/** They prove that the histories find faults, or start servers for minutes, whose processes are not measured. */
const slow = ['hub/planted-faults', 'log/redis-sentinel', 'log/redis-cluster', 'log/lmdb-full-disk']

export default defineConfig({
  test: {
    ...base.test,
    // Each file has its own copy of what it covers, and the counts are added up.
    isolate: true,
    // What Node.js imports without Vitest is counted wrongly: branches that ran appear as missed.
    server: { deps: { inline: [/\/dist\//] } },
    include: [...measured, 'http', 'dashboard'].map((folder) => `test/${folder}/**/*.test.ts`),
    exclude: slow.map((file) => `test/${file}.test.ts`),
    reporters: ['dot'],
    coverage: {
      provider: 'v8',
      enabled: true,
      include: measured.map((folder) => `dist/${folder}/**/*.js`),
      reportsDirectory: 'build/coverage',
      reporter: ['json'],
      reportOnFailure: true
    }
  }
})
