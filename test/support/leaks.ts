// Makes every test a leak test: after each test, no socket or server may remain that did not exist before, and timers are real.
import { beforeEach, expect } from 'vitest'

const watched = new Set(['TCPSocketWrap', 'TCPServerWrap', 'PipeWrap', 'PipeServerWrap', 'ProcessWrap'])

function open(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter((name) => watched.has(name))
    .sort()
}

beforeEach(({ onTestFinished }) => {
  const before = open()
  // Registered first, so it runs last: after the clean-up of the test.
  const left = () => surplus(open(), before)
  onTestFinished(async () => {
    await expect.poll(left, { timeout: 5_000, message: 'what this test left open' }).toEqual([])
    // `mockRestore` of a spy on them is repeated by `vi.restoreAllMocks` of a later test, which would wait for ever then.
    expect(globalThis.setTimeout, 'fake timers, which a test has left').not.toHaveProperty('clock')
  })
})

/** Resources that exist now and did not exist before; leftovers of another test may disappear meanwhile. */
function surplus(now: readonly string[], before: readonly string[]): string[] {
  const known = [...before]
  return now.filter((name) => {
    const at = known.indexOf(name)
    if (at >= 0) known.splice(at, 1)
    return at < 0
  })
}
