// Imports point only downward, as ARCHITECTURE.md draws it: a layer may use those below it and knows nothing of those above.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { expect, it } from 'vitest'

/** Each layer, with those that it may import besides itself. */
const below: Record<string, readonly string[]> = {
  sse: [],
  topics: [],
  auth: ['topics', 'errors', 'units'],
  pages: [],
  errors: [],
  units: [],
  update: ['errors'],
  log: ['update', 'errors', 'sse'],
  hub: ['logs', 'log', 'topics', 'update', 'errors', 'sse'],
  http: ['hub', 'auth', 'log', 'topics', 'update', 'errors', 'sse', 'pages'],
  logs: ['log', 'topics', 'units'],
  index: ['http', 'hub', 'auth', 'logs', 'log', 'topics', 'update', 'errors'],
  server: ['http', 'hub', 'auth', 'logs', 'log', 'units', 'errors'],
  cli: ['server', 'http', 'auth', 'units']
}

/** `src/hub/hub.ts` → `hub`, `src/update.ts` → `update` */
const layerOf = (path: string) => (relative('src', path).split('/')[0] as string).replace(/\.ts$/, '')

const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => join('src', name))

function importsOf(file: string): string[] {
  const source = readFileSync(file, 'utf8')
  return [...source.matchAll(/(?:from|import) '(\.[^']+)'/g)].map(([, path]) => join(dirname(file), path as string))
}

it('finds the sources', () => {
  expect(files.length).toBeGreaterThan(30)
  expect(new Set(files.map(layerOf))).toEqual(new Set(Object.keys(below)))
})

it.each(files)('%s imports only what lies below it', (file) => {
  const layer = layerOf(file)
  const upward = importsOf(file).filter((path) => layerOf(path) !== layer && !below[layer]?.includes(layerOf(path)))
  expect(upward).toEqual([])
})

it.each(files)('%s opens with its job', (file) => {
  const [first = '', second = ''] = readFileSync(file, 'utf8').split('\n')
  expect(first.startsWith('#!') ? second : first).toMatch(/^\/\/ \S.{20}/)
})

it('no file holds more than one thing: none is longer than 250 lines', () => {
  const long = files.filter((file) => readFileSync(file, 'utf8').split('\n').length > 251)
  expect(long).toEqual([])
})
