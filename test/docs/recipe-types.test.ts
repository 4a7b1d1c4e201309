// Type-checks the TypeScript examples of docs/recipes/. Those of ai-sdk.md run in ai-sdk.test.ts.
import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const folder = resolve('build/recipes-types')

it('the examples have valid types', async () => {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2023',
    lib: ['es2023', 'dom', 'dom.iterable'],
    types: ['node'],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    experimentalDecorators: true,
    emitDecoratorMetadata: true
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }))
  const names: string[] = []
  for (const page of readdirSync('docs/recipes')) {
    const [, code] = /^```ts\n(.*?)^```/ms.exec(readFileSync(join('docs/recipes', page), 'utf8')) ?? []
    if (!code) continue
    names.push(page)
    writeFileSync(join(folder, page.replace('.md', '.ts')), code)
  }
  expect(names).toEqual(expect.arrayContaining(['assistant-ui.md', 'resumable-stream.md', 'tanstack-ai.md']))
  const check = promisify(execFile)('node_modules/.bin/tsc', ['-p', folder])
  // The compiler prints what is wrong to stdout, which is not part of the error's message.
  expect(await check.catch(({ stdout, message }: { stdout: string; message: string }) => stdout || message)).toEqual({
    stdout: '',
    stderr: ''
  })
})
