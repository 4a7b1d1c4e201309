// Addresses and protocols of the server: HTTP/1.1 and HTTP/2, with and without TLS, Unix sockets, and several at once.
import { execFile } from 'node:child_process'
import { copyFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { certificateOf } from '../support/auth/certificate.ts'
import { rsaPair } from '../support/auth/tokens.ts'
import { ask, post } from '../support/http/http.ts'
import { http2Ask, http2Session } from '../support/http/http2.ts'
import { listen } from '../support/http/sse-client.ts'
import { newFolder } from '../support/log/log-folder.ts'
import { curl, describeWith } from '../support/requirements.ts'
import { tidings } from '../support/servers/cli.ts'
import { type LocalServer, startInProcess } from '../support/servers/in-process.ts'
import { startServer } from '../support/servers/server.ts'

const fixture = (name: string) => fileURLToPath(new URL(`../support/auth/for-tests-only.${name}.pem`, import.meta.url))

async function start(...args: string[]): Promise<LocalServer> {
  const server = await startInProcess({ args })
  onTestFinished(() => server.stop())
  return server
}

const startTls = (...args: string[]) => start('--tls-cert', fixture('cert'), '--tls-key', fixture('key'), ...args)

describe('TLS', () => {
  it('negotiates HTTP/2, and streams updates published over either version', async () => {
    const { url } = await startTls()
    const session = http2Session(url)
    const stream = await http2Ask(session, '/subscribe')
    expect(stream).toMatchObject({ status: 200, headers: { 'content-type': 'text/event-stream' } })
    await http2Ask(session, '/publish', { method: 'POST', body: 'by 2', 'content-type': 'text/plain' })
    await expect.poll(stream.text).toContain('data: by 2\n\n')
    expect((await http2Ask(session, '/nowhere')).status).toBe(404)
  })

  it('serves hundreds of streams on one connection, each with all events', async () => {
    const { url } = await startTls()
    const session = http2Session(url)
    const streams = await Promise.all(Array.from({ length: 200 }, () => http2Ask(session, '/subscribe')))
    await http2Ask(session, '/publish', { method: 'POST', body: 'to all' })
    await expect.poll(() => streams.filter((stream) => stream.text().includes('to all')).length).toBe(200)
  })

  it('applies backpressure to an unread stream, and catches it up in order and without a gap', async () => {
    const { url } = await startTls()
    const session = http2Session(url)
    const { stream, text } = await http2Ask(session, '/subscribe?envelope=json')
    stream.pause()
    for (let count = 0; count < 40; count++) {
      await http2Ask(session, '/publish', { method: 'POST', body: String(count).padEnd(100_000, '.') })
    }
    const answer = await http2Ask(session, '/debug', { accept: 'application/json' })
    await expect.poll(answer.text).toContain('"state":"behind"')
    stream.resume()
    await expect
      .poll(() =>
        text()
          .match(/"data":"\d+/g)
          ?.map((data) => Number(data.slice(8)))
      )
      .toEqual(Array.from({ length: 40 }, (_, count) => count))
  })

  it('loads a new certificate while streams stay open', async () => {
    const folder = newFolder()
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
    copyFileSync(fixture('cert'), cert)
    copyFileSync(fixture('key'), key)
    const server = await startServer({ args: ['--tls-cert', cert, '--tls-key', key] })
    onTestFinished(() => server.kill('SIGKILL'))
    const session = http2Session(server.url)
    const stream = await http2Ask(session, '/subscribe')
    const before = await subjectAt(server.port)
    replaceCertificate(cert, key)
    process.kill(server.pid, 'SIGHUP')
    await expect.poll(() => subjectAt(server.port)).not.toBe(before)
    await http2Ask(session, '/publish', { method: 'POST', body: 'still here' })
    await expect.poll(stream.text).toContain('still here')
  })

  it('reports in one line that a certificate is unusable, and does not start', async () => {
    const { code, stderr } = await tidings(['serve', '--tls-cert', fixture('key'), '--tls-key', fixture('key')])
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/^tidings: --tls-cert: cannot be used with --tls-key: .*\n$/)
    })
    expect((await tidings(['serve', '--tls-cert', fixture('cert')])).stderr).toContain('requires --tls-key; set both')
    expect((await tidings(['serve', '--tls-cert', '/nowhere', '--tls-key', '/nowhere'])).stderr).toContain(
      '/nowhere cannot be read: ENOENT'
    )
  })
})

describe('without TLS', () => {
  it('with --h2c, accepts HTTP/2 with prior knowledge beside HTTP/1.1', async () => {
    const { url } = await start('--h2c')
    const stream = await http2Ask(http2Session(url), '/subscribe')
    const client = await listen(`${url}/subscribe`)
    await post(`${url}/publish`, 'hello')
    await expect.poll(stream.text).toContain('data: hello')
    expect(await client.received(1)).toEqual(['hello'])
  })

  it.each([
    ['another host', 'evil.example', 400],
    ['another port', 'localhost:1', 400],
    ['the same host', 'LOCALHOST:80', 200]
  ])('an HTTP/2 request whose Host is %s than :authority gets a fitting status', async (_, host, status) => {
    const { url } = await start('--h2c')
    const session = http2Session(url)
    for (const path of ['/debug', '/healthz', '/nowhere']) {
      const answer = await http2Ask(session, path, { ':authority': 'localhost', host })
      expect(answer.status).toBe(path === '/nowhere' && status === 200 ? 404 : status)
    }
  })

  it.each(['constructor', '__proto__', 'toString', 'refuse'])(
    'responds 405 to the method %s, a property name of every object',
    async (method) => {
      const { url, output } = await start('--h2c')
      const session = http2Session(url)
      for (const path of ['/publish', '/.well-known/mercure']) {
        expect(await http2Ask(session, path, { method })).toMatchObject({
          status: 405,
          headers: { allow: expect.stringContaining('POST') }
        })
      }
      expect(output()).not.toContain('failed')
    }
  )

  it('otherwise accepts only HTTP/1.1', async () => {
    const { url } = await start()
    await expect(http2Ask(http2Session(url), '/')).rejects.toThrow()
    expect((await ask(url)).status).toBe(200)
  })
})

describe('several addresses', () => {
  it('serve one hub, also through a Unix socket', async () => {
    const path = join(newFolder(), 'tidings.sock')
    const { url, output, kill } = await startServer({ args: ['--listen', `127.0.0.1:0,[::1]:0,unix:${path}`] })
    onTestFinished(() => kill('SIGKILL'))
    expect(output()).toContain(`unix:${path}`)
    const client = await listen(`${url}/subscribe`)
    await publishAt(path, 'through a file')
    expect(await client.received(1)).toEqual(['through a file'])
  })

  it.each([
    ['127.0.0.1', 'expected an address such as 127.0.0.1:5000, [::1]:5000 or unix:/run/tidings.sock, got "127.0.0.1"'],
    ['0.0.0.0:5000', '--listen: 0.0.0.0 can be reached from other machines'],
    ['127.0.0.1:99999', 'expected an address']
  ])('rejects %s', async (address, why) => {
    const { code, stderr } = await tidings(['serve', '--listen', address])
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(why) })
  })
})

describeWith(await curl(), 'curl', (path) => {
  const run = async (...args: string[]) => (await promisify(execFile)(path, ['-sk', ...args])).stdout

  it('accept publishes over HTTP/1.1, HTTP/2 with and without TLS, and a Unix socket', async () => {
    const socket = join(newFolder(), 'tidings.sock')
    const tls = await startTls('--listen', `127.0.0.1:0,unix:${socket}`)
    const plain = await start('--h2c')
    const version = ['-o', '/dev/null', '-w', '%{http_version}', '-d', 'hello']
    expect(await run('--http1.1', ...version, `${tls.url}/publish`)).toBe('1.1')
    expect(await run(...version, `${tls.url}/publish`)).toBe('2')
    expect(await run('--http2-prior-knowledge', ...version, `${plain.url}/publish`)).toBe('2')
    expect(await run('--unix-socket', socket, ...version, 'https://localhost/publish')).toBe('2')
  })
})

function publishAt(socketPath: string, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const options = { socketPath, path: '/publish', method: 'POST', agent: false }
    request(options, (response) => response.resume().on('end', resolve))
      .on('error', reject)
      .end(body)
  })
}

/** The certificate of a new connection. */
function subjectAt(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().fingerprint256)
      socket.destroy()
    })
    socket.on('error', reject)
  })
}

function replaceCertificate(cert: string, key: string): void {
  const { publicKey, privateKey } = rsaPair()
  writeFileSync(cert, certificateOf(publicKey, privateKey))
  writeFileSync(key, privateKey.export({ type: 'pkcs8', format: 'pem' }))
}
