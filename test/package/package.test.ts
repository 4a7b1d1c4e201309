// The package of `npm pack`, unpacked and used as a dependency.
import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { checkPackage, Package, type Problem } from '@arethetypeswrong/core'
import { build as bundleWithEsbuild } from 'esbuild'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { build as bundleWithVite } from 'vite'
import { beforeAll, expect, it } from 'vitest'

const run = promisify(execFile)
// Inside the project, so that the package resolves its dependencies like an installed one.
const app = join('build', 'packed')
const installed = join(app, 'node_modules', 'tidings')
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
  version: string
  bin: { tidings: string }
  exports: Record<string, string | Record<string, unknown>>
  scripts: Record<string, string>
  dependencies: Record<string, string>
}
const entryPoints = Object.keys(manifest.exports)
let files: string[] = []

beforeAll(async () => {
  const { stdout } = await run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'])
  const packed = JSON.parse(stdout) as { files: { path: string }[] }[] | Record<string, { files: { path: string }[] }>
  files = Object.values(packed)[0]?.files.map(({ path }) => path) ?? []
  rmSync(app, { recursive: true, force: true })
  mkdirSync(app, { recursive: true })
  // Without it, `tidings` would be the project itself, since a package may import itself by its name.
  writeFileSync(join(app, 'package.json'), '{ "private": true }')
  for (const path of files) {
    mkdirSync(join(installed, path, '..'), { recursive: true })
    cpSync(path, join(installed, path))
  }
})

it('contains the documents, and of the build each module of src and nothing else', () => {
  const other = files.filter((path) => !path.startsWith('dist/') && !path.startsWith('docs/'))
  const documents = ['ARCHITECTURE.md', 'CHANGELOG.md', 'LICENSE', 'PROTOCOL.md', 'README.md', 'package.json']
  expect(other.sort()).toEqual(documents)
  expect(files.filter((path) => /^docs\/.*(?<!\.(md|svg|png|yaml))$/.test(path))).toEqual([])

  // The bundler of the commands chooses names for the parts that they load when they need them.
  const bundle = /^dist\/cli\/(main|[\w-]+-[0-9A-Z]{8})\.js$|^dist\/cli\/third-party-licenses\.txt$/
  const modules = files.filter((path) => path.startsWith('dist/') && !bundle.test(path)).sort()
  const sources = readdirSync('src', { recursive: true, encoding: 'utf8' }).map((path) => path.replaceAll('\\', '/'))
  const built = sources.flatMap((path) => {
    if (/^cli\/|^pages\/\w+\/|tsconfig/.test(path)) return []
    if (path.endsWith('.lua')) return `dist/${path}`
    const name = path.replace(/\.tsx?$/, '')
    return name === path ? [] : [`dist/${name}.js`, `dist/${name}.d.ts`]
  })
  const pages = ['dist/pages/dashboard/dashboard.html', 'dist/pages/live/live.html']
  const commonJs = modules.filter((path) => path.startsWith('dist/cjs/'))
  expect(modules.filter((path) => !path.startsWith('dist/cjs/'))).toEqual([...built, ...pages].sort())
  // What applications load with `require`: the client, the hooks, and the modules that they share.
  const shared = commonJs.map((path) => path.replace('/cjs/', '/'))
  expect(shared.filter((path) => !built.includes(path))).toEqual(['dist/package.json'])
})

it('names each file that its code reads, so that bundlers find it', () => {
  // The bundler of Next.js takes a style sheet for a part of the page of the application.
  const code = files.filter((path) => /^dist\/.*\.js$/.test(path))
  const named = code.flatMap((path) =>
    [...readFileSync(path, 'utf8').matchAll(/new URL\('([^']*)', import\.meta\.url\)/g)].map(([, name]) =>
      join(path, '..', name as string)
    )
  )
  expect(named).toContain('dist/pages/live/live.html')
  expect(named.filter((path) => !files.includes(path) || path.endsWith('.css'))).toEqual([])
})

it('is importable by its name, with all public exports', async () => {
  const script = `import * as tidings from 'tidings'
    const hub = tidings.createHub({ log: new tidings.MemoryLog() })
    const entry = await hub.publish({ topics: ['a'], data: 'x' })
    console.log(typeof tidings.createHandler(hub), entry.offset, tidings.TidingsError.name)
    await hub.close()`
  writeFileSync(join(app, 'use.mjs'), script)
  const { stdout } = await run(process.execPath, ['use.mjs'], { cwd: app })
  expect(stdout).toBe('function 1 TidingsError\n')
})

it.each(entryPoints)('its export %s can be imported, and required if it offers CommonJS', async (entryPoint) => {
  const name = `tidings${entryPoint.slice(1)}`
  const target = manifest.exports[entryPoint]
  const loads = [`require.resolve('${name}')`]
  if (!name.endsWith('.json')) loads.push(`import('${name}').then(Object.keys)`)
  if (typeof target === 'object' && 'require' in target) loads.push(`Object.keys(require('${name}'))`)
  writeFileSync(join(app, 'load.cjs'), `Promise.all([${loads}]).then((loaded) => console.log(JSON.stringify(loaded)))`)
  const { stdout } = await run(process.execPath, ['load.cjs'], { cwd: app })
  const [, imported, required = imported] = JSON.parse(stdout) as [string, string[]?, string[]?]
  expect(required?.filter((key) => key !== '__esModule').sort()).toEqual(imported?.sort())
})

const entry = join(app, 'entry.js')
/** Each bundles the entry, and splits off what is loaded later. */
const bundlers: Record<string, (outDir: string) => Promise<unknown>> = {
  esbuild: (outdir) =>
    bundleWithEsbuild({
      entryPoints: [entry],
      bundle: true,
      splitting: true,
      outdir,
      outExtension: { '.js': '.mjs' },
      format: 'esm',
      platform: 'browser'
    }),
  Vite: (outDir) =>
    bundleWithVite({
      logLevel: 'silent',
      configFile: false,
      build: { outDir, emptyOutDir: true, lib: { entry, formats: ['es'], fileName: 'entry' } }
    })
}

/** Bundles a module, and returns what it exports. The chunks must import nothing but each other. */
async function bundled(name: string, module: string): Promise<{ chunks: number; names: string[] }> {
  writeFileSync(entry, module)
  const outDir = resolve(app, `bundle-${++bundles}`)
  await (bundlers[name] as (outDir: string) => Promise<unknown>)(outDir)
  const chunks = readdirSync(outDir)
  for (const chunk of chunks) {
    expect(readFileSync(join(outDir, chunk), 'utf8')).not.toMatch(/\bfrom\s*["'](?!\.\/)|node:/)
  }
  const [bundle] = chunks.filter((chunk) => chunk.startsWith('entry'))
  const exported = (await import(pathToFileURL(join(outDir, bundle as string)).href)) as object
  return { chunks: chunks.length, names: Object.keys(exported) }
}

let bundles = 0

it.each(Object.keys(bundlers))('%s bundles its client for browsers', async (name) => {
  const module = "export { publish, subscribe, TidingsSource } from 'tidings/client'"
  const { chunks, names } = await bundled(name, module)
  expect(chunks).toBeGreaterThan(1)
  expect(names).toEqual(['TidingsSource', 'publish', 'subscribe'])
})

it.each(Object.keys(bundlers))('%s bundles its React hooks for browsers', async (name) => {
  const { names } = await bundled(name, "export { TidingsProvider, useTopic } from 'tidings/react'")
  expect(names).toEqual(['TidingsProvider', 'useTopic'])
})

it.each(['dist/react/index.js', 'dist/cjs/react/index.js'])(
  '%s is for the browser in the app router of Next.js',
  (path) => {
    // A directive counts only before the first statement.
    const [, directives] =
      /^((?:\s*(?:\/\/[^\n]*\n|["'][a-z ]+["'];))*)/.exec(readFileSync(join(installed, path), 'utf8')) ?? []
    expect(directives).toContain("'use client';")
  }
)

it('follows the rules of publint', async () => {
  const { messages, pkg } = await publint({ pkgDir: installed, pack: false, strict: true })
  expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([])
})

it('has types that match its code for every way to import it', async () => {
  const contents = files.map((path) => [`/node_modules/tidings/${path}`, readFileSync(path)])
  const packed = new Package(Object.fromEntries(contents), 'tidings', manifest.version)
  const result = await checkPackage(packed, { entrypoints: entryPoints })
  if (!result.types) throw new Error('the package has no types')
  expect(Object.keys(result.entrypoints)).toEqual(entryPoints)
  expect(result.problems.filter((problem) => !isIntended(problem))).toEqual([])
})

function isIntended(problem: Problem): boolean {
  // TypeScript's resolution for Node 10 does not know `exports`.
  if ('resolutionKind' in problem && problem.resolutionKind === 'node10') return true
  if ('resolutionOption' in problem && problem.resolutionOption === 'node10') return true
  // What runs on servers is ESM only. Node 20.19 and newer can require it.
  return problem.kind === 'CJSResolvesToESM' && !('require' in (manifest.exports[problem.entrypoint] as object))
}

it('has a command that prints its version and help', async () => {
  const { bin, version } = manifest
  const main = join(installed, bin.tidings)
  expect(readFileSync(main, 'utf8').startsWith('#!/usr/bin/env node\n')).toBe(true)
  expect((await run(process.execPath, [main, '--version'])).stdout).toBe(`${version}\n`)
  expect((await run(process.execPath, [main, 'serve', '--help'])).stdout).toContain('--port <port>')
})

it('runs no install scripts, and neither do its dependencies', () => {
  const { dependencies, scripts } = manifest
  expect(Object.keys(scripts)).not.toEqual(expect.arrayContaining([expect.stringMatching(/install|prepare/)]))
  for (const name of Object.keys(dependencies)) {
    const path = join('node_modules', name, 'package.json')
    expect(existsSync(path), name).toBe(true)
    expect(Object.keys(JSON.parse(readFileSync(path, 'utf8')).scripts ?? {}), name).not.toContain('postinstall')
  }
})
