// Ends a test run with one summary line, and lists every skipped suite with its reason.
import type { Reporter, TestCase, TestModule } from 'vitest/node'

export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()])
    const count = (state: string) => tests.filter((test) => test.result().state === state).length
    const broken = modules.filter((module) => module.state() === 'failed' && count('failed') === 0).length
    for (const test of tests) reportSkipped(test)
    console.log(`${count('passed')} passed, ${count('failed') + broken} failed, ${count('skipped')} skipped`)
  }
}

function reportSkipped(test: TestCase): void {
  const result = test.result()
  if (result.state !== 'skipped') return
  console.log(`skipped: ${test.fullName}${result.note ? ` (${result.note})` : ''}`)
}
