// The client in Node, Deno and Bun: the same script subscribes, publishes, and resumes after a broken connection.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { publish } from '../../dist/client/index.js'
import { onPath } from '../support/requirements.ts'
import { cuttableProxy } from '../support/servers/cuttable-proxy.ts'
import { startServer } from '../support/servers/server.ts'

const script = fileURLToPath(new URL('../support/client/round-trip.mjs', import.meta.url))
const client = new URL('../../dist/client/index.js', import.meta.url).href

/** A runtime and its arguments; undefined if it is not installed. */
type Runtime = readonly [name: string, path: string | undefined, args: readonly string[]]

const runtimes: readonly Runtime[] = [
  ['Node', process.execPath, []],
  // Deno asks for permissions, and would write a lock file into the project.
  ['Deno', onPath('deno'), ['run', '--no-lock', '--no-prompt', '--allow-net=127.0.0.1', '--allow-read']],
  ['Bun', onPath('bun'), ['run']]
]

// Debian has no package of Deno and Bun, and 100 MB each are too much for dependencies. They are tested where they are installed.
for (const [name, path, args] of runtimes.filter(([, path]) => path !== undefined)) {
  it(`in ${name}, the client subscribes, publishes, and resumes after a broken connection`, async () => {
    const server = await startServer()
    onTestFinished(() => server.kill())
    const proxy = await cuttableProxy(server.port)
    onTestFinished(() => proxy.close())
    const child = spawn(path as string, [...args, script, client, proxy.url, server.url])
    const ended = once(child, 'close')
    onTestFinished(async () => {
      child.kill('SIGKILL')
      await ended
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk))
    await expect.poll(() => output).toContain('refused')
    await expect.poll(() => output).toContain('☃')
    proxy.cut()
    await publish(`${server.url}/publish`, [
      { topics: 'a', data: 'missed' },
      { topics: 'a', data: 'last' }
    ])
    await expect.poll(() => output).toContain('waiting')
    proxy.mend()
    // The runtime exits: the client leaves no timer and no connection.
    expect((await ended)[0], output).toBe(0)
    const [got, rest] = [output.match(/^got .*$/gm), output.match(/^(published|refused|over) .*$/gm)]
    expect(got).toEqual(['got "one"', 'got {"two":2}', 'got "drei – ☃"', 'got "missed"', 'got "last"'])
    expect(rest).toEqual(['published string 2', 'refused true 400 line_invalid', 'over true'])
  })
}
