// `tidings serve` as a process: its output, its option errors, and its shutdown.
import { connect, createServer } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ask, post } from '../support/http/http.ts'
import { listen } from '../support/http/sse-client.ts'
import { newFolder } from '../support/log/log-folder.ts'
import { commandHost, tidings } from '../support/servers/cli.ts'
import { startServer } from '../support/servers/server.ts'

async function start(...args: string[]) {
  const server = await startServer({ args })
  onTestFinished(() => server.kill('SIGKILL'))
  return server
}

describe('tidings serve', () => {
  const run = commandHost()

  it('prints its address, that history is in memory, its pages, and example commands', async () => {
    const { url, output } = await start()
    expect(output()).toContain(`tidings is listening on ${url}, and keeps history in memory`)
    expect(output()).toContain(`open       ${url}\n  dashboard  ${url}/dashboard\n`)
    expect(output()).toContain(`listen     curl -N ${url}/subscribe\n`)
    expect(output()).toContain(`publish    curl -d 'hello' ${url}/publish\n`)
    expect(output()).not.toContain('token')
  })

  it('prints no address of a dashboard that is off', async () => {
    const { output } = await start('--dashboard', 'off')
    expect(output()).not.toContain('dashboard')
  })

  it('with keys, prints a command for a token that it accepts', async () => {
    const key = 'a-secret-of-this-test-that-is-long-enough'
    const { url, output } = await start('--publisher-key', key, '--anonymous')
    const [, line = ''] = /^ {2}token {6}npx tidings (.*)$/m.exec(output()) ?? []
    expect(line).toBe(`token --publish '*' --url ${url}`)
    const { stdout } = await run(line.replaceAll("'", '').split(' '), { TIDINGS_PUBLISHER_KEY: key })
    expect((await post(`${url}/publish`, 'x', { Authorization: `Bearer ${stdout.trim()}` })).status).toBe(200)
    const named = await start('--publisher-key', key, '--anonymous', '--audience', 'https://hub.example.com')
    expect(named.output()).toContain("token --publish '*' --audience https://hub.example.com\n")
  })

  it('prints no command for a token if only an identity provider can sign one', async () => {
    const jwks = 'http://127.0.0.1:1/jwks.json'
    const { output } = await start('--publisher-jwks', jwks, '--subscriber-jwks', jwks)
    expect(output()).not.toContain('tidings token')
  })

  it('streams updates, and on SIGTERM ends its streams and exits', async () => {
    const { url, kill } = await start()
    const client = await listen(`${url}/subscribe`)
    await post(`${url}/publish`, 'hello')
    expect(await client.received(1)).toEqual(['hello'])
    await kill('SIGTERM')
    await client.until(({ ended }) => ended)
  })

  it('exits although a client does not read', async () => {
    const { url, kill } = await start()
    const client = await listen(`${url}/subscribe`)
    client.pause()
    for (let count = 0; count < 20; count++) await post(`${url}/publish`, 'x'.repeat(1_000_000))
    await kill('SIGTERM')
    client.close()
  })

  it('exits although a request is incomplete', async () => {
    const { port, kill } = await start()
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {}).write('POST /publish HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n12345')
    await new Promise((resolve) => socket.once('connect', resolve))
    await ask(`http://127.0.0.1:${port}/debug`)
    await kill('SIGTERM')
  })

  it('applies the configured retention', async () => {
    const { url } = await start('--retention', '[{"match":"price/{id}","last":1},{"match":"*","entries":2}]')
    for (const topic of ['price/1', 'price/1', 'a', 'b', 'c']) await post(`${url}/publish?topic=${topic}`, topic)
    const client = await listen(`${url}/subscribe?last_event_id=earliest`)
    expect(await client.received(3)).toEqual(['price/1', 'b', 'c'])
  })

  it('reports in one line that a port is in use, and exits with 1', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void other.close())
    await new Promise((resolve) => other.once('listening', resolve))
    const { port } = other.address() as { port: number }
    const { code, stderr, stdout } = await tidings(['serve', '--port', String(port)])
    const line = `tidings: 127.0.0.1:${port} is already in use; choose another port, or port 0 for any free one\n`
    expect({ code, stderr, stdout }).toEqual({ code: 1, stderr: line, stdout: '' })
  })

  it.each(['0.0.0.0', '::', '203.0.113.77'])(
    'refuses to listen on %s without keys or explicit permission',
    async (host) => {
      const { code, stderr } = await run(['serve', '--port', '0', '--host', host])
      expect(code).toBe(1)
      expect(stderr).toMatch(/^tidings: --host: \S+ can be reached from other machines, .* set --open .*\n$/)
    }
  )

  it('listens beyond localhost with explicit permission', async () => {
    const { url } = await start('--host', '0.0.0.0', '--open')
    expect((await ask(url.replace('0.0.0.0', '127.0.0.1'))).status).toBe(200)
  })

  it.each([
    [['--port', '70000'], {}, '--port: expected 0 to 65535, got "70000"'],
    [[], { TIDINGS_PORT: 'http' }, 'TIDINGS_PORT: expected 0 to 65535, got "http"'],
    [['--durability', 'never'], {}, '--durability: expected flush or os, got "never"'],
    [
      ['--retention', '[{"match":"*","age":"7 moons"}]'],
      {},
      '--retention: rule 1: age: expected a duration with a unit such as 10s, got "7 moons"'
    ],
    [[], { TIDINGS_RETENTION: 'keep all' }, 'TIDINGS_RETENTION: expected a list of rules as JSON, got "keep all"'],
    [['--durability', 'eternal'], {}, '--durability: expected flush or os, got "eternal"'],
    [['--port', '0'], { TIDINGS_OPEN: 'maybe' }, 'TIDINGS_OPEN: expected true or false, got "maybe"'],
    [['--host', '203.0.113.77', '--port', '0', '--open'], {}, '203.0.113.77 is not an address of this machine']
  ])('names the invalid option in %j %j', async (args, env, message) => {
    expect(await run(['serve', ...args], env)).toMatchObject({ code: 1, stderr: `tidings: ${message}\n` })
  })

  it('with --data, prints the folder, stores history in it, and restores it after a kill', async () => {
    const folder = newFolder()
    const before = await start('--data', folder)
    expect(before.output()).toContain(`tidings is listening on ${before.url}, and keeps history in ${folder}\n`)
    await post(`${before.url}/publish?topic=news`, 'kept')
    await before.kill('SIGKILL')
    const after = await start('--data', folder)
    const client = await listen(`${after.url}/subscribe?topic=news&last=10`)
    expect(await client.received(1)).toEqual(['kept'])
    client.close()
    await after.kill('SIGTERM')
  })

  it('reports in one line that a folder is in use, and exits with 1', async () => {
    const folder = newFolder()
    const { pid } = await start('--data', folder)
    const { code, stderr, stdout } = await tidings(['serve', '--port', '0'], { TIDINGS_DATA: folder })
    const line = `tidings: ${folder} is in use by another process (pid ${pid}); stop that first, or keep this log in another folder\n`
    expect({ code, stderr, stdout }).toEqual({ code: 1, stderr: line, stdout: '' })
  })

  it.runIf(process.platform === 'linux').each(['/proc/tidings', '/proc/tidings/log', '/dev/null/log'])(
    'reports in one line that it cannot create a folder at %s, and exits with 1',
    async (path) => {
      const { code, stderr } = await tidings(['serve', '--port', '0', '--data', path])
      expect(code).toBe(1)
      expect(stderr).toMatch(/^tidings: \S+ cannot hold a log \(E[A-Z]+\); choose a folder .*\n$/)
    }
  )

  it('reads options from the environment; flags take precedence', async () => {
    const environment = { TIDINGS_HOST: '203.0.113.77', TIDINGS_OPEN: 'true', TIDINGS_PORT: '0' }
    const { stderr } = await tidings(['serve'], environment)
    expect(stderr).toBe('tidings: 203.0.113.77 is not an address of this machine\n')
    const { stderr: other } = await tidings(['serve', '--host', '203.0.113.78'], environment)
    expect(other).toBe('tidings: 203.0.113.78 is not an address of this machine\n')
  })

  it('suggests the correct name for a misspelled option', async () => {
    const { code, stderr } = await tidings(['serve', '--prot', '1'])
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('Did you mean --port?') })
    expect(await tidings(['sreve'])).toMatchObject({ code: 2, stderr: expect.stringContaining('Did you mean serve?') })
  })
})

describe('an invalid request', () => {
  const exchange = async (url: string, text: string) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    let answer = ''
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString()
    })
    socket.write(text)
    await new Promise((resolve) => socket.once('close', resolve))
    return answer
  }

  it('is rejected with the limit when its head is too large', async () => {
    const { url } = await start()
    const answer = await exchange(url, `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`)
    expect(answer).toMatch(/^HTTP\/1.1 431 .*The request head is too large: the limit is 16384 bytes\.\n$/s)
  })

  it('is rejected when it is not HTTP', async () => {
    const { url } = await start()
    expect(await exchange(url, 'hello\r\n\r\n')).toMatch(/^HTTP\/1.1 400 .*The request is not well-formed HTTP\.\n$/s)
  })

  it('does not keep a half-closed connection open', async () => {
    const { port } = await start()
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }).resume()
    socket.on('error', () => {}).write('hello\r\n\r\n')
    await new Promise((resolve) => socket.once('end', resolve))
    const probe = setInterval(() => socket.write('x'), 50)
    await new Promise((resolve) => socket.once('close', resolve))
    clearInterval(probe)
  })

  it('is rejected with the timeouts when its sender is too slow', async () => {
    const { url } = await start()
    const answer = await exchange(url, 'GET / HTTP/1.1\r\nHost: x\r\n')
    expect(answer).toMatch(/^HTTP\/1.1 408 .*the limit is 10 s for the head and 30 s for the whole request\.\n$/s)
  })
})
