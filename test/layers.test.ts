// The source structure of ARCHITECTURE.md: imports point downward, there are no import cycles, and folders and files are
// small.
import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { expect, it } from 'vitest'

/** Each layer, and the layers that it may import besides itself. */
const below: Record<string, readonly string[]> = {
  sse: [],
  topics: [],
  json: [],
  'bounded-map': [],
  digest: [],
  'dashboard-api': [],
  auth: ['topics', 'errors', 'units', 'json', 'bounded-map', 'digest'],
  pages: ['backoff', 'client', 'dashboard-api'],
  errors: [],
  backoff: [],
  deadline: [],
  client: ['backoff', 'topics'],
  react: ['client'],
  ai: ['client', 'hub', 'log'],
  units: [],
  update: ['errors'],
  log: ['backoff', 'deadline', 'update', 'topics', 'errors', 'units', 'digest'],
  hub: ['log', 'deadline', 'topics', 'update', 'errors', 'sse', 'digest', 'dashboard-api'],
  http: [
    'hub',
    'auth',
    'log',
    'topics',
    'update',
    'errors',
    'sse',
    'pages',
    'units',
    'json',
    'bounded-map',
    'digest',
    'dashboard-api'
  ],
  fetch: ['http', 'hub'],
  fastify: ['index'],
  index: ['http', 'hub', 'auth', 'log', 'topics', 'update', 'errors'],
  server: ['backoff', 'deadline', 'http', 'hub', 'auth', 'log', 'units', 'errors', 'dashboard-api'],
  cli: ['client', 'server', 'http', 'auth', 'log', 'units', 'errors']
}

/** `src/hub/hub.ts` → `hub`, `src/update.ts` → `update` */
const layerOf = (path: string) => (relative('src', path).split('/')[0] as string).replace(/\.tsx?$/, '')

const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.tsx?$/.test(name))
  .map((name) => join('src', name))

/** All imports of a file, including types. */
function importsOf(file: string): string[] {
  const source = readFileSync(file, 'utf8')
  return [...source.matchAll(/(?:from|import) '(\.[^']+)'/g)].map(([, path]) => join(dirname(file), path as string))
}

const imports = new Map(files.map((file) => [file, importsOf(file)]))

it('finds the sources', () => {
  expect(files.length).toBeGreaterThan(30)
  expect(new Set(files.map(layerOf))).toEqual(new Set(Object.keys(below)))
})

it.each(files)('%s imports only lower layers', (file) => {
  const layer = layerOf(file)
  const upward = importsOf(file).filter((path) => layerOf(path) !== layer && !below[layer]?.includes(layerOf(path)))
  expect(upward).toEqual([])
})

/** All direct and indirect imports of a file. */
function reachedFrom(file: string): Set<string> {
  const reached = new Set<string>()
  const waiting = [...(imports.get(file) ?? [])]
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    if (reached.has(next)) continue
    reached.add(next)
    waiting.push(...(imports.get(next) ?? []))
  }
  return reached
}

/** What a file loads when it is imported, without type imports and dynamic imports. */
function loadedFrom(file: string): Set<string> {
  const source = readFileSync(file, 'utf8')
  const statements = [...source.matchAll(/^(?:import|export) (?!type )[^;]*?from '([^']+)'/gms)].map(
    ([, path]) => path as string
  )
  return new Set(statements.map((path) => (path.startsWith('.') ? join(dirname(file), path) : path)))
}

it('importing the library loads no storage engine and no command line', () => {
  const loaded = new Set(['src/index.ts'])
  for (const file of loaded) if (file.startsWith('src/')) for (const next of loadedFrom(file)) loaded.add(next)
  const packages = [...loaded].filter((path) => !path.startsWith('src/') && !path.startsWith('node:'))
  expect(packages.sort()).toEqual(['jose', 're2js', 'urlpattern-polyfill/urlpattern'])
})

it('tidings/ai loads the client, and no hub', () => {
  const loaded = new Set(['src/ai/index.ts'])
  for (const file of loaded) if (file.startsWith('src/')) for (const next of loadedFrom(file)) loaded.add(next)
  const outside = [...loaded].filter((path) => !/^src\/(ai|client|topics)\//.test(path))
  expect(outside.sort()).toEqual(['eventsource-parser', 'src/backoff.ts'])
})

it('the React hooks import React, and the client as an application does', () => {
  const hooks = files.filter((file) => layerOf(file) === 'react')
  const loaded = new Set(
    hooks.flatMap((file) => [...importsOf(file), ...loadedFrom(file)]).filter((path) => !path.startsWith('src/react/'))
  )
  expect([...loaded].sort()).toEqual(['react', 'src/client/index.ts'])
})

it('the Fastify plugin loads the library as an application does, and of Fastify only types', () => {
  const plugin = files.filter((file) => layerOf(file) === 'fastify')
  expect(new Set(plugin.flatMap((file) => [...loadedFrom(file)]))).toEqual(new Set(['src/index.ts']))
})

it('there are no import cycles, including type imports', () => {
  expect(files.filter((file) => reachedFrom(file).has(file))).toEqual([])
})

it.each(files)('%s starts with a header that states its job', (file) => {
  const [first = '', second = ''] = readFileSync(file, 'utf8').split('\n')
  expect(first.startsWith('#!') ? second : first).toMatch(/^\/\/ \S.{20}/)
})

it('no file is longer than 250 lines', () => {
  const long = files.filter((file) => readFileSync(file, 'utf8').split('\n').length > 251)
  expect(long).toEqual([])
})

it('no folder has more than sixteen files', () => {
  const folders = [...new Set(files.map((file) => dirname(file)))]
  const isIn = (folder: string) => (file: string) => dirname(file) === folder
  expect(folders.filter((folder) => files.filter(isIn(folder)).length > 16)).toEqual([])
})

it('no file repeats the name of its folder as a prefix', () => {
  const repeated = files.filter((file) => basename(file).startsWith(`${basename(dirname(file))}-`))
  expect(repeated).toEqual([])
})
