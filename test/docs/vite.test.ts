// The recipe for Vite, as it is written: with the real development server, files change while a client is subscribed.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { ask } from '../support/http/http.ts'
import { listen } from '../support/http/sse-client.ts'
import { freePort } from '../support/servers/free-port.ts'

const folder = resolve('build/vite-app')
const documented = readFileSync('docs/recipes/vite.md', 'utf8')
const files = new Map(
  [...documented.matchAll(/^```js\n\/\/ (\S+)\n(.*?)^```/gms)].map(([, name, code]) => [name as string, code as string])
)
function write(name: string, code: string): void {
  writeFileSync(join(folder, name), code)
}

async function start(): Promise<string> {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const port = await freePort()
  for (const [name, code] of files) write(name, code.replace(/\b3000\b/, String(port)))
  write('package.json', '{ "type": "module", "private": true, "name": "app" }')
  // Installed, as Vite leaves only packages to Node.
  for (const path of ['package.json', 'dist']) {
    cpSync(path, join(folder, 'node_modules/tidings', path), { recursive: true })
  }
  const child = spawn(process.execPath, ['dev.js'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
  const exited = once(child, 'exit')
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await exited
  })
  const url = `http://127.0.0.1:${port}`
  const isUp = () =>
    ask(`${url}/events/updates`).then(
      ({ status }) => status === 200,
      () => false
    )
  await expect.poll(isUp).toBe(true)
  return url
}

it('a subscriber stays connected and receives what the changed module publishes', async () => {
  expect([...files.keys()]).toEqual(['hub.js', 'server.js', 'dev.js'])
  const url = await start()
  const client = await listen(`${url}/events/subscribe?topic=greetings`)
  await ask(`${url}/hello`)
  expect(await client.received(1)).toEqual(['hello'])

  write('server.js', (files.get('server.js') as string).replace("data: 'hello'", "data: 'changed'"))
  await expect.poll(async () => (await ask(`${url}/hello`)) && client.data.at(-1)).toBe('changed')
  // The module of the hub itself is evaluated again too.
  const marked = `${files.get('hub.js')}\nglobalThis.evaluations = (globalThis.evaluations ?? 0) + 1\n`
  write('hub.js', marked)
  write(
    'server.js',
    (files.get('server.js') as string).replace("data: 'hello'", 'data: String(globalThis.evaluations)')
  )
  await expect.poll(async () => (await ask(`${url}/hello`)) && client.data.at(-1)).toBe('1')

  expect(client.ended).toBe(false)
  const page = (await ask(`${url}/events/updates?topic=greetings&after=earliest`)).json() as {
    updates: { data: string }[]
  }
  expect(await client.received(page.updates.length)).toEqual(page.updates.map(({ data }) => data))
})
