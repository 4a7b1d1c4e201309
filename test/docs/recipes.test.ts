// Runs the servers of docs/recipes as they are written there: streams arrive below /events, the app's own routes answer, and SIGTERM ends
// them.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { transform } from 'esbuild'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ask, post } from '../support/http/http.ts'
import { listen } from '../support/http/sse-client.ts'
import { freePort } from '../support/servers/free-port.ts'

const folder = join('build', 'recipes')
const documented = (name: string) => readFileSync(join('docs/recipes', `${name}.md`), 'utf8')

/** The code of a file, whose name is in its first line. */
function code(name: string, file: string): string {
  const [, found] = new RegExp(`^\`\`\`[jt]s\\n(// ${file}\\n.*?)^\`\`\``, 'ms').exec(documented(name)) ?? []
  if (found === undefined) throw new Error(`docs/recipes/${name}.md has no ${file}`)
  return found
}

/** Writes a file as JavaScript, inside the project, which resolves `tidings` and the frameworks. */
async function write(name: string, source: string): Promise<string> {
  mkdirSync(folder, { recursive: true })
  const tsconfigRaw = { compilerOptions: { experimentalDecorators: true, useDefineForClassFields: false } }
  const { code: javascript } = await transform(source, { loader: 'ts', target: 'es2022', tsconfigRaw })
  const path = join(folder, `${name}.mjs`)
  writeFileSync(path, javascript)
  return path
}

/** Runs a server until the test ends, on a free port. */
async function run(name: string, file: string) {
  const port = await freePort()
  const path = await write(name, code(name, file).replace(/\b3000\b/, String(port)))
  const child = spawn(process.execPath, [path], { stdio: ['ignore', 'ignore', 'inherit'] })
  const exited = once(child, 'exit')
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await exited
  })
  const origin = `http://127.0.0.1:${port}`
  await expect
    .poll(() =>
      ask(origin).then(
        ({ status }) => status > 0,
        () => false
      )
    )
    .toBe(true)
  return { origin, child, exited }
}

const order = (origin: string) => post(`${origin}/orders`, '{"id":17}', { 'Content-Type': 'application/json' })
const recipes = {
  http: { file: 'server.js', topic: 'clock', act: (origin: string) => ask(`${origin}/orders`), data: /^\d{4}-/ },
  express: { file: 'server.js', topic: 'orders/{id}', act: order, data: /^\{"id":17\}$/ },
  koa: { file: 'server.js', topic: 'visits', act: (origin: string) => ask(`${origin}/orders`), data: /^\/orders$/ },
  nestjs: { file: 'main.ts', topic: 'orders/{id}', act: order, data: /^\{"id":17\}$/ },
  fastify: { file: 'server.js', topic: 'orders/{id}', act: order, data: /^\{"id":17\}$/ },
  h3: { file: 'server.js', topic: 'orders/{id}', act: order, data: /^\{"id":17\}$/ }
}

it.each(Object.entries(recipes))('%s', async (name, { file, topic, act, data }) => {
  const { origin, child, exited } = await run(name, file)
  const client = await listen(`${origin}/events/subscribe?topic=${topic}`)
  expect((await act(origin)).status).toBeLessThan(300)
  expect((await client.received(1))[0]).toMatch(data)
  child.kill('SIGTERM')
  // Nest ends the process with the signal again, when it has closed everything.
  expect(await exited).toEqual(name === 'nestjs' ? [null, 'SIGTERM'] : [0, null])
  await client.until(({ ended }) => ended, 'the end of the stream')
})

it('the example of authorize decides by the session', async () => {
  const path = await write('authorize', code('http', 'authorize.js'))
  const served = `import { createServer } from 'node:http'
    import { serveHub } from './authorize.mjs'
    const server = createServer(serveHub).listen(0, '127.0.0.1', () => console.log(server.address().port))`
  writeFileSync(path.replace('authorize', 'authorized'), served)
  const child = spawn(process.execPath, [path.replace('authorize', 'authorized')], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const exited = once(child, 'exit')
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await exited
  })
  const [port] = (await once(child.stdout, 'data')) as [Buffer]
  const url = `http://127.0.0.1:${String(port).trim()}/events`
  expect((await ask(`${url}/updates`)).status).toBe(403)
  expect((await ask(`${url}/updates`, { headers: { Cookie: 'session=7' } })).status).toBe(200)
  expect(await ask(`${url}/publish`, { method: 'POST', headers: { Cookie: 'session=7' } })).toMatchObject({
    status: 403
  })
})

describe('the pages', () => {
  const pages = readdirSync('docs/recipes').map((name) => name.replace('.md', ''))

  it.each(pages)('%s has links that lead somewhere', (name) => {
    const links = [...documented(name).matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, path]) => path as string)
    for (const link of links) expect(() => readdirOrFile(join('docs/recipes', link)), link).not.toThrow()
  })

  it.each(pages)('%s says how to run it', (name) => {
    expect(documented(name)).toMatch(/```sh\n(.*\n)*?(node|npx) /)
  })
})

it('the recipe for Next.js shows the files of its example', () => {
  const blocks = [...documented('nextjs').matchAll(/^```js\n\/\/ (\S+)\n(.*?)^```/gms)]
  expect(blocks.map(([, path]) => path)).toContain('hub.js')
  for (const [, path, shown] of blocks) {
    expect(shown).toBe(readFileSync(join('examples/nextjs', path as string), 'utf8'))
  }
})

function readdirOrFile(path: string): unknown {
  return path.endsWith('.md') ? readFileSync(path) : readdirSync(path)
}
