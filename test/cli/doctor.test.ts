// `tidings doctor`: it reports no fault for a correct setup, and names each fault that a proxy causes.
import { readFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createHandler, createHub } from '../../dist/index.js'
import { listenUntilDone, serve } from '../support/http/http.ts'
import { describeWith, nginx } from '../support/requirements.ts'
import { tidings } from '../support/servers/cli.ts'
import { freePort } from '../support/servers/free-port.ts'
import { startNginxBefore } from '../support/servers/nginx.ts'
import { startServer } from '../support/servers/server.ts'

interface Check {
  readonly check: string
  readonly level: 'ok' | 'warning' | 'fault'
  readonly said: string
  readonly change?: Readonly<Record<string, string>>
}

const key = 'a key of this test that is long enough'
const fixture = (name: string) => fileURLToPath(new URL(`../support/auth/for-tests-only.${name}.pem`, import.meta.url))

/** The results of a run, by check. */
async function examine(url: string, args: string[] = [], env: NodeJS.ProcessEnv = {}) {
  const { code, stdout, stderr } = await tidings(['doctor', url, '--json', '--idle', '500ms', ...args], env)
  const { checks } = JSON.parse(stdout || '{"checks":[]}') as { checks: Check[] }
  const faults = checks.filter(({ level }) => level === 'fault').map(({ check }) => check)
  const of = (name: string) => checks.find(({ check }) => check === name)
  return { code, stderr, checks, faults, of }
}

/** A server that is not a hub. */
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
  it('reports no fault for a plain server, and one line per check', async () => {
    const server = await startServer({ args: ['--heartbeat', '300ms'] })
    onTestFinished(() => server.kill('SIGKILL'))
    const { code, stdout } = await tidings(['doctor', server.url, '--idle', '1'])
    expect(stdout).not.toMatch(/^fault/m)
    expect(stdout).toMatch(/^ok {7}events +5 events arrived one by one/m)
    expect(stdout).toMatch(/^ok {7}lasting +an idle stream stayed open for 1\.0 s, with [1-9] heartbeats/m)
    expect(stdout).toMatch(/^warning {2}HTTP\/2 +without TLS browsers use HTTP\/1\.1/m)
    expect(code).toBe(0)
  })

  it('reports that nothing listens at the address', async () => {
    const url = `http://127.0.0.1:${await freePort()}`
    const { code, checks } = await examine(url)
    const said = `${url}/ cannot be reached: nothing listens there`
    expect({ code, checks }).toEqual({ code: 1, checks: [{ check: 'reachable', level: 'fault', said }] })
  })

  it('distinguishes a web page from a hub', async () => {
    const { faults, of } = await examine(await impostor((_, response) => response.end('<h1>It works!')))
    expect(faults).toEqual(['tidings'])
    expect(of('tidings')?.said).toBe('something answers, but it is not tidings (200)')
  })

  it('reports a wrong path when the hub says so', async () => {
    const { url } = await serve()
    expect((await examine(`${url}/elsewhere`)).faults).toEqual(['path'])
  })

  it('reports the address that a proxy redirects to', async () => {
    const url = await impostor((_, response) => response.writeHead(301, { Location: 'https://hub.example/' }).end())
    const { faults, of } = await examine(url)
    expect(faults).toEqual(['path'])
    expect(of('path')?.said).toContain('https://hub.example/')
  })

  it('reports that a proxy does not reach the hub', async () => {
    const { faults, of } = await examine(
      await impostor((_, response) => response.writeHead(502).end('<h1>Bad gateway'))
    )
    expect(faults).toEqual(['reachable'])
    expect(of('reachable')?.said).toContain('does not reach the hub (502)')
  })

  it('reports that the hub does not accept the host name', async () => {
    const { url } = await serve({}, { publicUrls: ['https://hub.example'] })
    expect((await examine(url)).faults).toEqual(['host'])
  })

  it('lists the checks that need a token, and runs them with a token', async () => {
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

  it('reports that it could not check publishing without permission', async () => {
    const { url } = await serve({}, { publisherKey: key, anonymous: true })
    const { code, of } = await examine(url)
    expect(code).toBe(0)
    expect(of('events')).toMatchObject({
      level: 'warning',
      said: expect.stringMatching(/could not be checked.*--token/)
    })
  })

  it('checks whether pages of an origin may read', async () => {
    const { url } = await serve({}, { corsOrigins: ['https://www.example'] })
    expect((await examine(url, ['--origin', 'https://www.example'])).of('CORS')?.level).toBe('ok')
    expect((await examine(url, ['--origin', 'https://other.example'])).faults).toEqual(['CORS'])
  })

  it('reports an untrusted certificate, and with a trusted one that HTTP/2 is missing', async () => {
    const [tlsKey, cert] = [readFileSync(fixture('key')), readFileSync(fixture('cert'))]
    const hub = createHub()
    const port = await listenUntilDone(createTlsServer({ key: tlsKey, cert }, createHandler(hub)), hub)
    const untrusted = await examine(`https://localhost:${port}`)
    expect(untrusted.faults).toEqual(['TLS'])
    const trusted = await examine(`https://localhost:${port}`, [], { NODE_EXTRA_CA_CERTS: fixture('cert') })
    expect(trusted.faults).toEqual([])
    expect(trusted.of('HTTP/2')).toMatchObject({ level: 'warning', said: expect.stringContaining('not supported') })
  })

  it('detects HTTP/2 on a server with a certificate', async () => {
    const port = await freePort()
    const args = ['--tls-cert', fixture('cert'), '--tls-key', fixture('key'), '--host', 'localhost']
    const server = await startServer({ port, args })
    onTestFinished(() => server.kill('SIGKILL'))
    const { faults, of } = await examine(server.url, [], { NODE_EXTRA_CA_CERTS: fixture('cert') })
    expect(faults).toEqual([])
    expect(of('HTTP/2')?.level).toBe('ok')
  })

  it('exits with 2 without an address', async () => {
    expect((await tidings(['doctor'])).code).toBe(2)
    expect((await tidings(['doctor', 'hub.example'])).code).toBe(2)
  })
})

describeWith(await nginx(), 'tidings doctor behind nginx', (program) => {
  it('names each fault of a misconfigured proxy', async () => {
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
    // Not before nginx cuts it, and before the five seconds of `--idle` are over.
    const cutAfter = Number(/cut after (\d\.\d) s/.exec(of('lasting')?.said ?? '')?.[1])
    expect(cutAfter).toBeGreaterThanOrEqual(2)
    expect(cutAfter).toBeLessThan(5)
    expect(of('lasting')?.change?.nginx).toContain('proxy_read_timeout')
    expect(of('first byte')?.change?.nginx).toContain('proxy_buffering off')
    expect(of('compression')?.change?.nginx).toContain('gzip off')
    expect(of('Last-Event-ID')?.change?.nginx).toContain('Last-Event-ID')
  })

  it('reports no fault for a transparent proxy', async () => {
    const { url } = await serve({ heartbeat: 200 })
    const { code, faults, of } = await examine(await startNginxBefore(program, url, []))
    expect({ code, faults }).toEqual({ code: 0, faults: [] })
    expect(of('X-Accel-Buffering')?.said).toBe('a proxy removed the header, and obeys it')
  })

  it('reports a lost query, and lost cache headers', async () => {
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
