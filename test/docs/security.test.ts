// SECURITY.md names the test of each measure, by file and title.
import { existsSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const named = [...readFileSync('SECURITY.md', 'utf8').matchAll(/`(test\/[\w/.-]+\.test\.ts)`: (.*?)(?=<br>| \|$)/gm)]

it('names only tests that exist', () => {
  expect(named.length).toBeGreaterThan(40)
  const missing = named.filter(([, file = '', title = '']) => {
    return (
      !existsSync(file) || !['"', "'", '`'].some((quote) => readFileSync(file, 'utf8').includes(quote + title + quote))
    )
  })
  expect(missing.map(([text]) => text)).toEqual([])
})
