// Type-checks the examples of docs/react.md, and runs them: in a browser, and on a server as Next.js does.
import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { publish } from '../support/http/publish.ts'
import { describeWith, headlessChromium } from '../support/requirements.ts'
import { startInProcess } from '../support/servers/in-process.ts'
import { launch, waiting } from '../support/servers/live-page.ts'

const folder = resolve('build/docs-react')
const documented = readFileSync('docs/react.md', 'utf8')
const examples = [...documented.matchAll(/^```tsx\n(.*?)^```/gms)].map(([, code]) => code as string)
/** An example is a file, with the name in its first line, or that of what it exports. */
const nameOf = (code: string) => (/^\/\/ (\w+)\.tsx/.exec(code) ?? /export function (\w+)/.exec(code))?.[1] ?? 'main'

/** Writes the examples as files of an application. */
function write(hub: string): void {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const compilerOptions = {
    jsx: 'react-jsx',
    module: 'esnext',
    moduleResolution: 'bundler',
    target: 'es2023',
    lib: ['es2023', 'dom'],
    types: [],
    strict: true,
    noEmit: true,
    skipLibCheck: true
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.tsx'] }))
  for (const code of examples) {
    writeFileSync(join(folder, `${nameOf(code)}.tsx`), code.replaceAll('http://127.0.0.1:5000', hub))
  }
  writeFileSync(join(folder, 'server.tsx'), server)
}

/** Renders the examples as a server does. */
const server = `
import { renderToString } from 'react-dom/server'
import { TidingsProvider } from 'tidings/react'
import { Alarm } from './Alarm'
import { Chat } from './Chat'
import { Connection } from './Connection'
import Page from './page'

export const components = () =>
  renderToString(<TidingsProvider url="/subscribe"><Alarm /><Chat room="1" /><Connection /></TidingsProvider>)
export const page = async (id: string) => renderToString(await Page({ params: Promise.resolve({ id }) }))
`

const options = { bundle: true, jsx: 'automatic', define: { 'process.env.NODE_ENV': '"development"' } } as const

async function started(): Promise<string> {
  const hub = await startInProcess({ args: ['--cors-origins', '*'] })
  onTestFinished(() => hub.stop())
  write(hub.url)
  return hub.url
}

it('the examples have valid types', async () => {
  write('http://127.0.0.1:5000')
  const check = promisify(execFile)('node_modules/.bin/tsc', ['-p', folder])
  // The compiler prints what is wrong to stdout, which is not part of the error's message.
  expect(await check.catch(({ stdout, message }: { stdout: string; message: string }) => stdout || message)).toEqual({
    stdout: '',
    stderr: ''
  })
  expect(examples.map(nameOf)).toEqual(['main', 'Alarm', 'Chat', 'Connection', 'page', 'order'])
})

it('the examples render on a server, with the data of the hub', async () => {
  const url = await started()
  await publish(url, '{"total":42}', { topic: 'orders/17' })
  const outfile = join(folder, 'server.cjs')
  await build({ ...options, entryPoints: [join(folder, 'server.tsx')], outfile, format: 'cjs', platform: 'node' })
  const { components, page } = createRequire(import.meta.url)(outfile) as {
    components(): string
    page(id: string): Promise<string>
  }
  const text = (html: string) => html.replaceAll('<!-- -->', '')
  expect(text(components())).toBe('<ul></ul><p>connecting…</p>')
  expect(text(await page('17'))).toBe('<p>Order 17: 42</p>')
})

describeWith(await headlessChromium(), 'the first example', (executablePath) => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launch(executablePath)
  })
  afterAll(() => browser.close())

  it('shows the newest price in a browser', async () => {
    const url = await started()
    await publish(url, '41', { topic: 'prices/ACME' })
    const { outputFiles } = await build({ ...options, entryPoints: [join(folder, 'main.tsx')], write: false })
    const page = await browser.newPage()
    onTestFinished(() => page.close())
    await page.setContent('<div id="root"></div>')
    await page.addScriptTag({ content: outputFiles[0]?.text as string })
    for (const price of ['41', '42']) {
      await expect.poll(() => page.textContent('#root'), waiting).toBe(`ACME: ${price}`)
      await publish(url, '42', { topic: 'prices/ACME' })
    }
  })
})
