// What a page loads with the client, including its dependency, does not grow unnoticed. The target is 6 KiB.
import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'

it.each([
  ['subscribe', 7.25],
  ['all of it', 8.5],
  ['publish', 1.9]
])('%s is below %d KiB, minified and compressed', (name, kibibytes) => {
  const printed = execFileSync(process.execPath, ['scripts/client-size.mjs', '--only-ours'], { encoding: 'utf8' })
  const [, bytes] = new RegExp(`${name} .*? (\\d+) gzip`).exec(printed) ?? []
  expect(Number(bytes)).toBeGreaterThan(1_000)
  expect(Number(bytes)).toBeLessThan(kibibytes * 1_024)
})
