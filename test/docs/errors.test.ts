// The page of error messages matches the sources.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const page = readFileSync('docs/errors.md', 'utf8')

it('equals the output of node scripts/errors.mjs', () => {
  const made = execFileSync(process.execPath, ['scripts/errors.mjs', '--print'], { encoding: 'utf8' })
  expect(page, 'run node scripts/errors.mjs').toBe(made)
})
