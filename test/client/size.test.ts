// What a page loads with the client, with its dependency, does not grow unnoticed. The target is 6 KiB.
import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'

it('is below 8.6 KiB, minified and compressed', () => {
  const printed = execFileSync(process.execPath, ['scripts/client-size.mjs', '--only-ours'], { encoding: 'utf8' })
  const [, bytes] = /all of it .*? (\d+) gzip/.exec(printed) ?? []
  expect(Number(bytes)).toBeGreaterThan(2_000)
  expect(Number(bytes)).toBeLessThan(8.6 * 1_024)
})
