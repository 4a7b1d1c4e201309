// Makes every test a leak test: after each, no socket and no server may be left that was not there before.
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
  // Registered first, it is called last: after the test's own clean-up.
  const left = () => surplus(open(), before)
  onTestFinished(() => expect.poll(left, { timeout: 5_000, message: 'what this test left open' }).toEqual([]))
})

/** What there is now and was not before; what another test left may go meanwhile. */
function surplus(now: readonly string[], before: readonly string[]): string[] {
  const known = [...before]
  return now.filter((name) => {
    const at = known.indexOf(name)
    if (at >= 0) known.splice(at, 1)
    return at < 0
  })
}
