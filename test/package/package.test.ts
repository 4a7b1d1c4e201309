// The package of `npm pack`, unpacked and used as a dependency.
import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, expect, it } from 'vitest'

const run = promisify(execFile)
// Inside the project, so that the package resolves its dependencies like an installed one.
const app = join('build', 'packed')
const installed = join(app, 'node_modules', 'tidings')
let files: string[] = []

beforeAll(async () => {
  const { stdout } = await run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'])
  const packed = JSON.parse(stdout) as { files: { path: string }[] }[] | Record<string, { files: { path: string }[] }>
  files = Object.values(packed)[0]?.files.map(({ path }) => path) ?? []
  rmSync(app, { recursive: true, force: true })
  for (const path of files) {
    mkdirSync(join(installed, path, '..'), { recursive: true })
    cpSync(path, join(installed, path))
  }
})

it('contains what is needed to run, and no tests', () => {
  expect(files).toEqual(
    expect.arrayContaining(['package.json', 'README.md', 'LICENSE', 'dist/index.js', 'dist/index.d.ts'])
  )
  expect(files).toEqual(
    expect.arrayContaining(['dist/pages/live/live.html', 'dist/pages/live/live.css', 'dist/pages/live/live.js'])
  )
  expect(files.filter((path) => /^(test|bench|src|scripts|\.)|stamp/.test(path))).toEqual([])
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

it('has a command that prints its version and help', async () => {
  const { bin, version } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    bin: { tidings: string }
    version: string
  }
  const main = join(installed, bin.tidings)
  expect(readFileSync(main, 'utf8').startsWith('#!/usr/bin/env node\n')).toBe(true)
  expect((await run(process.execPath, [main, '--version'])).stdout).toBe(`${version}\n`)
  expect((await run(process.execPath, [main, 'serve', '--help'])).stdout).toContain('--port <port>')
})

it('runs no install scripts, and neither do its dependencies', () => {
  const { dependencies, scripts } = JSON.parse(readFileSync('package.json', 'utf8'))
  expect(Object.keys(scripts)).not.toEqual(expect.arrayContaining([expect.stringMatching(/install|prepare/)]))
  for (const name of Object.keys(dependencies)) {
    const path = join('node_modules', name, 'package.json')
    expect(existsSync(path), name).toBe(true)
    expect(Object.keys(JSON.parse(readFileSync(path, 'utf8')).scripts ?? {}), name).not.toContain('postinstall')
  }
})
