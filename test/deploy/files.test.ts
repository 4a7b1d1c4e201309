// Deployment files and documents use existing options, and are well-formed.
import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { flagFor, options, variableFor } from '../../dist/server/config/options.js'

const files = [
  'Dockerfile',
  'compose.yaml',
  'compose.fleet.yaml',
  ...readdirSync('deploy', { recursive: true, encoding: 'utf8' }).map((path) => `deploy/${path}`)
]
const texts = files
  .filter((path) => /\.\w+$|file$/.test(path))
  .map((path) => [path, readFileSync(path, 'utf8')] as const)

it('finds the files', () => expect(texts.length).toBeGreaterThanOrEqual(9))

it.each(texts)('%s uses existing options', (_, text) => {
  const flags =
    text.match(/(?<=["' ])--(?:trusted|public|ops|drain|config|data|store|host|port|publisher|subscriber)[a-z-]*/g) ??
    []
  const variables = text.match(/TIDINGS_[A-Z_]+/g) ?? []
  const known = options.flatMap(({ name }) => [flagFor(name), variableFor(name)])
  expect([...flags, ...variables].filter((name) => !known.includes(name))).toEqual([])
})

it.each(texts.filter(([path]) => path.endsWith('.yaml')))('%s is well-formed', (_, text) => {
  const documents = parseAllDocuments(text)
  expect(documents.length).toBeGreaterThan(0)
  for (const document of documents) expect('errors' in document ? document.errors : []).toEqual([])
})

it('files copied into the image exist', () => {
  const copied = readFileSync('Dockerfile', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('COPY ') && !line.includes('--from'))
    .flatMap((line) => line.split(' ').slice(1, -1))
  const sent = readFileSync('.dockerignore', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1))
  expect(copied.sort()).toEqual(sent.sort())
  for (const path of copied) expect(readdirSync('.')).toContain(path)
})
