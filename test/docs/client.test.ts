// Runs the examples of docs/client.md unchanged, with a server on another port.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { publish } from '../support/http/publish.ts'
import { startServer } from '../support/servers/server.ts'

const run = promisify(execFile)
const page = readFileSync('docs/client.md', 'utf8')
const examples = [...page.matchAll(/^```js\n(.*?)^```/gms)].map(([, code]) => code as string)

describe('the examples of docs/client.md', () => {
  it.each(examples.map((code, index) => [index, code] as const))('%i', async (_, code) => {
    const server = await startServer()
    onTestFinished(() => server.kill())
    await publish(server.url, '{"total":1}', { topic: 'orders/18' })
    const local = code
      .replaceAll('http://127.0.0.1:5000', server.url)
      .replaceAll("'tidings/client'", JSON.stringify(new URL('../../dist/client/index.js', import.meta.url).href))
      // The first example follows the stream for good.
      .replace(/^(for await .*)$/m, 'setTimeout(() => orders.close(), 1_000)\n$1')
    const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '--eval', local], {
      timeout: 60_000
    })
    expect(stderr).toBe('')
    if (code.includes('add(')) expect(stdout).toBe("{ total: 1 }\n[ 'orders/18' ]\n")
    if (code.includes('publish(')) expect(stdout).toMatch(/^#\S+\n$/)
  })

  it('cover subscribing, publishing and changing', () => {
    expect(examples.length).toBe(7)
  })
})
