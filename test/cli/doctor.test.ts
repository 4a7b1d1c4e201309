// `tidings doctor`: no fault where there is none, and each fault by its name where something on the way makes it.
import { readFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createHandler, createHub } from '../../dist/index.js'
import { tidings } from '../support/cli.js'
import { freePort } from '../support/free-port.js'
import { listenUntilDone, serve } from '../support/http.js'
import { startNginxBefore } from '../support/nginx.js'
import { describeWith, nginx } from '../support/requirements.js'
import { startServer } from '../support/server.js'

interface Check {
  readonly check: string
  readonly level: 'ok' | 'warning' | 'fault'
  readonly said: string
  readonly change?: Readonly<Record<string, string>>
}

const key = 'a key of this test that is long enough'
const fixture = (name: string) => fileURLToPath(new URL(`../support/for-tests-only.${name}.pem`, import.meta.url))

/** What a doctor says, by check. */
async function examine(url: string, args: string[] = [], env: NodeJS.ProcessEnv = {}) {
  const { code, stdout, stderr } = await tidings(['doctor', url, '--json', '--idle', '500ms', ...args], env)
  const { checks } = JSON.parse(stdout || '{"checks":[]}') as { checks: Check[] }
  const faults = checks.filter(({ level }) => level === 'fault').map(({ check }) => check)
  const of = (name: string) => checks.find(({ check }) => check === name)
  return { code, stderr, checks, faults, of }
}

/** A server that is no hub. */
async function impostor(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  await new Promise((resolve) => server.once('listening', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

describe('tidings doctor', () => {
  it('finds no fault with the plain server, and takes a line for each check', async () => {
    const server = await startServer({ args: ['--heartbeat', '300ms'] })
    onTestFinished(() => server.kill('SIGKILL'))
    const { code, stdout } = await tidings(['doctor', server.url, '--idle', '1'])
    expect(stdout).not.toMatch(/^fault/m)
    expect(stdout).toMatch(/^ok {7}events +5 events arrived one by one/m)
    expect(stdout).toMatch(/^ok {7}lasting +an idle stream stayed open for 1\.0 s, with [1-9] heartbeats/m)
    expect(stdout).toMatch(/^warning {2}HTTP\/2 +without TLS browsers use HTTP\/1\.1/m)
    expect(code).toBe(0)
  })

  it('says that nothing is there', async () => {
    const url = `http://127.0.0.1:${await freePort()}`
    const { code, checks } = await examine(url)
    const said = `${url}/ cannot be reached: nothing listens there`
    expect({ code, checks }).toEqual({ code: 1, checks: [{ check: 'reachable', level: 'fault', said }] })
  })

  it('knows a page from a hub', async () => {
    const { faults, of } = await examine(await impostor((_, response) => response.end('<h1>It works!')))
    expect(faults).toEqual(['tidings'])
    expect(of('tidings')?.said).toBe('something answers, but it is not tidings (200)')
  })

  it('says that the path is wrong where the hub says so', async () => {
    const { url } = await serve()
    expect((await examine(`${url}/elsewhere`)).faults).toEqual(['path'])
  })

  it('names the address to which a proxy sends everyone', async () => {
    const url = await impostor((_, response) => response.writeHead(301, { Location: 'https://hub.example/' }).end())
    const { faults, of } = await examine(url)
    expect(faults).toEqual(['path'])
    expect(of('path')?.said).toContain('https://hub.example/')
  })

  it('says that a proxy does not reach the hub', async () => {
    const { faults, of } = await examine(
      await impostor((_, response) => response.writeHead(502).end('<h1>Bad gateway'))
    )
    expect(faults).toEqual(['reachable'])
    expect(of('reachable')?.said).toContain('does not reach the hub (502)')
  })

  it('says that the hub does not go by this name', async () => {
    const { url } = await serve({}, { publicUrls: ['https://hub.example'] })
    expect((await examine(url)).faults).toEqual(['host'])
  })

  it('says what it could not check without a token, and checks it with one', async () => {
    const { url } = await serve({}, { publisherKey: key, subscriberKey: key, audience: ['https://hub.example'] })
    const without = await examine(url)
    expect(without).toMatchObject({ code: 0, faults: [] })
    expect(without.of('token')).toMatchObject({ level: 'warning', said: expect.stringContaining('give --token') })
    const env = { TIDINGS_PUBLISHER_KEY: key, TIDINGS_SUBSCRIBER_KEY: key }
    const mint = await tidings(
      ['token', '--publish', '*', '--subscribe', '*', '--audience', 'https://hub.example'],
      env
    )
    const having = await examine(url, ['--token', mint.stdout])
    expect(having.faults).toEqual([])
    expect(having.of('events')?.level).toBe('ok')
  })

  it('says that publishing could not be checked where it is not allowed', async () => {
    const { url } = await serve({}, { publisherKey: key, anonymous: true })
    const { code, of } = await examine(url)
    expect(code).toBe(0)
    expect(of('events')).toMatchObject({
      level: 'warning',
      said: expect.stringMatching(/could not be checked.*--token/)
    })
  })

  it('finds out whether pages of an origin may read', async () => {
    const { url } = await serve({}, { corsOrigins: ['https://www.example'] })
    expect((await examine(url, ['--origin', 'https://www.example'])).of('CORS')?.level).toBe('ok')
    expect((await examine(url, ['--origin', 'https://other.example'])).faults).toEqual(['CORS'])
  })

  it('finds that a certificate is not trusted, and with one that is, that HTTP/2 is not spoken', async () => {
    const [tlsKey, cert] = [readFileSync(fixture('key')), readFileSync(fixture('cert'))]
    const hub = createHub()
    const port = await listenUntilDone(createTlsServer({ key: tlsKey, cert }, createHandler(hub)), hub)
    const untrusted = await examine(`https://localhost:${port}`)
    expect(untrusted.faults).toEqual(['TLS'])
    const trusted = await examine(`https://localhost:${port}`, [], { NODE_EXTRA_CA_CERTS: fixture('cert') })
    expect(trusted.faults).toEqual([])
    expect(trusted.of('HTTP/2')).toMatchObject({ level: 'warning', said: expect.stringContaining('not supported') })
  })

  it('finds HTTP/2 where the server has a certificate', async () => {
    const port = await freePort()
    const args = ['--tls-cert', fixture('cert'), '--tls-key', fixture('key'), '--host', 'localhost']
    const server = await startServer({ port, args })
    onTestFinished(() => server.kill('SIGKILL'))
    const { faults, of } = await examine(server.url, [], { NODE_EXTRA_CA_CERTS: fixture('cert') })
    expect(faults).toEqual([])
    expect(of('HTTP/2')?.level).toBe('ok')
  })

  it('ends with 2 without an address', async () => {
    expect((await tidings(['doctor'])).code).toBe(2)
    expect((await tidings(['doctor', 'hub.example'])).code).toBe(2)
  })
})

describeWith(await nginx(), 'tidings doctor behind nginx', (program) => {
  it('names each fault of a bad one', { timeout: 40_000 }, async () => {
    const { url } = await serve()
    const bad = await startNginxBefore(program, url, [
      'proxy_buffering on;',
      'proxy_ignore_headers X-Accel-Buffering;',
      'gzip on; gzip_types text/event-stream; gzip_min_length 0;',
      'proxy_read_timeout 2s;',
      'proxy_set_header Last-Event-ID "";'
    ])
    const { code, faults, of } = await examine(bad, ['--idle', '5'])
    expect(code).toBe(1)
    expect(faults.sort()).toEqual(
      ['Last-Event-ID', 'X-Accel-Buffering', 'compression', 'events', 'first byte', 'lasting'].sort()
    )
    expect(of('lasting')?.said).toMatch(/cut after 2\.\d s/)
    expect(of('lasting')?.change?.nginx).toContain('proxy_read_timeout')
    expect(of('first byte')?.change?.nginx).toContain('proxy_buffering off')
    expect(of('compression')?.change?.nginx).toContain('gzip off')
    expect(of('Last-Event-ID')?.change?.nginx).toContain('Last-Event-ID')
  })

  it('finds no fault with one that just passes on', { timeout: 40_000 }, async () => {
    const { url } = await serve({ heartbeat: 200 })
    const { code, faults, of } = await examine(await startNginxBefore(program, url, []))
    expect({ code, faults }).toEqual({ code: 0, faults: [] })
    expect(of('X-Accel-Buffering')?.said).toBe('a proxy removed the header, and obeys it')
  })

  it('finds that the query, or what a cache needs to know, is lost', { timeout: 40_000 }, async () => {
    const { url } = await serve()
    const deaf = await startNginxBefore(program, url, ['set $args "";'])
    expect((await examine(deaf)).faults).toContain('query')
    const mute = await startNginxBefore(program, url, [
      'proxy_hide_header Cache-Control;',
      'proxy_hide_header Content-Type;'
    ])
    const { faults, of } = await examine(mute)
    expect(faults).toEqual(['content type'])
    expect(of('caching')?.level).toBe('warning')
  })
})
