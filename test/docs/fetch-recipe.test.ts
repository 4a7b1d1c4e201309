// Runs the code of docs/recipes/fetch.md, and the route for Nitro of h3.md: routes are called as their frameworks would call them.
import { execFile, spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { onPath } from '../support/requirements.ts'
import { freePort } from '../support/servers/free-port.ts'

const folder = join('build', 'fetch-recipe')
const page = ['fetch', 'h3'].map((name) => readFileSync(`docs/recipes/${name}.md`, 'utf8')).join('\n')
const blocks = [...page.matchAll(/^```js\n(?:\/\/ (\S+)\n)?(.*?)^```/gms)].map(([, path = '', code = '']) => ({
  path,
  code
}))
const [overview] = blocks
const codeOf = (path: string) => blocks.find((block) => block.path === path)?.code as string

beforeAll(() => void mkdirSync(folder, { recursive: true }))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Writes a module inside the project, where its own name leads to it. */
function moduleOf(name: string, code: string): string {
  const path = join(folder, name)
  writeFileSync(path, code)
  return path
}

type Endpoint = (...args: unknown[]) => Promise<Response>

describe('docs/recipes/fetch.md', () => {
  it('shows a handler that can be called', async () => {
    const path = moduleOf('overview.mjs', overview?.code as string)
    const { stdout } = await promisify(execFile)(process.execPath, [path])
    expect(stdout).toBe('Currently 0 subscriptions\n')
  })

  it.each([
    ['src/routes/events/[...path]/+server.js', 'GET', (request: Request) => [{ request }]],
    ['src/pages/events/[...path].js', 'ALL', (request: Request) => [{ request }]],
    ['routes/events/[...path].js', 'default', (req: Request) => [{ req }]]
  ])('%s is a route', async (path, name, argsOf) => {
    const file = moduleOf(`${path.replace(/\W/g, '-')}.mjs`, codeOf(path))
    const route = (await import(pathToFileURL(file).href)) as Record<string, Endpoint>
    const call = (path: string, init?: RequestInit) =>
      (route[name] as Endpoint)(...argsOf(new Request(`http://localhost/events${path}`, init)))
    const stream = (await call('/subscribe?topic=a')).body?.getReader() as ReadableStreamDefaultReader<Uint8Array>
    onTestFinished(() => stream.cancel())
    expect((await call('/publish?topic=a', { method: 'POST', body: 'hello' })).status).toBe(200)
    let text = ''
    while (!text.includes('data: hello')) text += new TextDecoder().decode((await stream.read()).value)
  })

  const runtimes = [
    ['bun', ['run']],
    ['deno', ['run', '--no-lock', '--allow-net', '--allow-read', '--allow-env']]
  ] as const
  for (const [name, args] of runtimes.filter(([name]) => onPath(name) !== undefined)) {
    it(`shows a server for ${name}`, async () => {
      const port = await freePort()
      const file = moduleOf(`${name}.mjs`, codeOf('server.js').replaceAll('3000', String(port)))
      const child = spawn(name, [...args, file])
      onTestFinished(() => void child.kill('SIGKILL'))
      const debug = () => fetch(`http://127.0.0.1:${port}/debug`).then((response) => response.text(), String)
      await expect.poll(debug).toBe('Currently 0 subscriptions')
    })
  }
})
