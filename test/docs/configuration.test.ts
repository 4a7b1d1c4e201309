// The configuration page matches the options.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { options } from '../../dist/server/config/options.js'

const page = readFileSync('docs/configuration.md', 'utf8')

it('equals the output of node scripts/configuration.mjs', () => {
  const made = execFileSync(process.execPath, ['scripts/configuration.mjs', '--print'], { encoding: 'utf8' })
  expect(page, 'run node scripts/configuration.mjs after npm run build').toBe(made)
})

it('contains every option', () => {
  for (const { name, help } of options) expect(page, name).toContain(help.replaceAll('|', '\\|'))
})
