// Runs the commands and examples of the README unchanged.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { listen } from '../support/http/sse-client.ts'
import { curl, describeWith } from '../support/requirements.ts'
import { freePort } from '../support/servers/free-port.ts'
import { type ServerProcess, startServer } from '../support/servers/server.ts'

const readme = readFileSync('README.md', 'utf8')

const blocks = (language: string) =>
  [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, code]) => code as string)

/** Each command of the tour; one that ends with a pipe continues on the next line. */
const commands = blocks('sh')
  .filter((block) => !/token=|npx tidings/.test(block))
  .flatMap((block) => block.replaceAll('|\n', '| ').trim().split('\n'))
  .filter((command) => command.includes('curl'))

/** A server shared by all tests of a suite. */
function sharedServer(): { readonly url: string } {
  let server: ServerProcess | undefined
  beforeAll(async () => {
    server = await startServer()
  })
  afterAll(() => server?.kill('SIGKILL'))
  return {
    get url() {
      return (server as ServerProcess).url
    }
  }
}

/** The output of a command until the text appears; a stream would not end. */
async function printed(script: string, text: RegExp): Promise<string> {
  const child = spawn('bash', ['-c', script], { detached: true, stdio: ['ignore', 'pipe', 'inherit'] })
  const gone = once(child, 'close')
  let output = ''
  try {
    for await (const chunk of child.stdout.setEncoding('utf8')) {
      output += chunk
      if (text.test(output)) break
    }
  } finally {
    if (child.exitCode === null) process.kill(-(child.pid as number), 'SIGKILL')
    await gone
  }
  return output
}

describeWith(await curl(), 'the tour with curl', () => {
  const server = sharedServer()

  it('has commands', () => expect(commands.length).toBeGreaterThan(8))

  it.each(commands)('%s', async (command) => {
    const expected = /subscribe|mercure\?/.test(command)
      ? /^:\n/
      : command.includes('publish')
        ? /^200 OK\n$/
        : command.includes('updates')
          ? /^\{"updates":\[\{/
          : /^Currently 0|^\{"epoch"/
    // A rejected request is a failure.
    const script = `curl() { command curl --fail --silent --show-error "$@"; }
      ${command.replaceAll('http://127.0.0.1:5000', server.url)}`
    expect(await printed(script, expected)).toMatch(expected)
  })
})

describeWith(await curl(), 'the examples with a token', () => {
  const scripts = blocks('sh').filter((block) => block.includes('token='))
  const env = {
    TIDINGS_PUBLISHER_KEY: 'a key for publishers that is long enough',
    TIDINGS_SUBSCRIBER_KEY: 'a key for subscribers that is long enough',
    TIDINGS_AUDIENCE: 'http://127.0.0.1:5000/.well-known/mercure'
  }

  it('has scripts', () => expect(scripts).toHaveLength(2))

  it.each(scripts)('%s', async (script) => {
    const server = await startServer({ args: ['--anonymous'], env })
    onTestFinished(() => server.kill('SIGKILL'))
    const adapted = `npx() { shift; "${process.execPath}" dist/cli/main.js "$@"; }
      ${script.replaceAll('http://127.0.0.1:5000', server.url).replaceAll('curl', 'curl --fail --silent --show-error')}`
    const { stdout } = await promisify(execFile)('bash', ['-c', adapted], { env: { ...process.env, ...env } })
    expect(stdout).toMatch(/^200 OK\n$|^#[0-9a-z]+-1$/)
  })
})

describe('the commands', () => {
  const [tour = ''] = blocks('sh').filter((block) => block.includes('npx tidings subscribe'))
  const lines = tour.trim().split('\n')

  it('are all of them', () => expect(lines.length).toBeGreaterThanOrEqual(6))

  const server = sharedServer()

  it.each(lines)('%s', async (line) => {
    // A stream would not end, so the command reads one event, which exists.
    const finite = line.includes('tidings subscribe') ? `${line} --count 1` : line
    const script = `npx() { shift; "${process.execPath}" dist/cli/main.js "$@"; }
      set -o pipefail
      ${finite.replaceAll('http://127.0.0.1:5000', server.url)}`
    const env = { ...process.env, TIDINGS_URL: server.url }
    await fetch(`${server.url}/publish?topic=orders/17`, { method: 'POST', body: 'seen' })
    const { stdout } = await promisify(execFile)('bash', ['-c', script], { env })
    if (line.includes('tidings subscribe')) expect(stdout).toContain('seen')
    if (line.includes('bench')) expect(stdout).toMatch(/missing +0\n/)
    if (line.includes('doctor')) expect(stdout).not.toContain('fault')
    if (line.includes('check-config')) expect(stdout).toContain('The configuration is valid.')
  })
})

describe('the embedding example', () => {
  it('has ten lines and serves a stream', async () => {
    const [, example] = blocks('js') as [string, string]
    expect(example.trim().split('\n').length).toBeLessThanOrEqual(10)
    const port = await freePort()
    mkdirSync(join('build', 'readme'), { recursive: true })
    const file = join('build', 'readme', 'embed.mjs')
    writeFileSync(file, example.replace('listen(3000)', `listen(${port}, '127.0.0.1', () => console.log('listening'))`))
    const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'] })
    onTestFinished(async () => {
      child.kill()
      await new Promise((resolve) => child.once('close', resolve))
    })
    await new Promise((resolve) => child.stdout.once('data', resolve))
    const client = await listen(`http://127.0.0.1:${port}/subscribe?topic=clock`)
    expect((await client.received(1))[0]).toMatch(/^\d{4}-\d{2}-\d{2}T/)
  })
})

it('links only to existing files', () => {
  const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, path]) => path as string)
  expect(links.length).toBeGreaterThan(4)
  expect(links.filter((path) => !exists(path))).toEqual([])
})

function exists(path: string): boolean {
  try {
    readFileSync(path)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EISDIR'
  }
}
