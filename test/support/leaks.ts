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
  onTestFinished(() => expect.poll(open, { timeout: 5_000, message: 'what this test left open' }).toEqual(before))
})
