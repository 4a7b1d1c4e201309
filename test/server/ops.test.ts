// The operator interface: health, readiness, metrics, log lines, and reload.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ask, post } from '../support/http/http.ts'
import { http2Ask, http2Session } from '../support/http/http2.ts'
import { audience, bearer, hubPath, keyed, keys, token } from '../support/http/mercure.ts'
import { listen } from '../support/http/sse-client.ts'
import { newFolder } from '../support/log/log-folder.ts'
import { freePort } from '../support/servers/free-port.ts'
import { startInProcess } from '../support/servers/in-process.ts'
import { hasWorkers, startServer } from '../support/servers/server.ts'

async function start(args: string[] = []) {
  const server = await startInProcess({ args })
  onTestFinished(() => server.stop())
  return server
}

/** A server that a test sends a signal. */
async function startProcess(args: string[] = []) {
  const server = await startServer({ args })
  onTestFinished(() => server.kill('SIGKILL'))
  return server
}

describe('T7: health', () => {
  it('is 200 for any client and Host, and 405 for other methods', async () => {
    const { url } = await start([...keyed, '--public-urls', 'https://hub.example.com'])
    for (const path of ['/healthz', '/readyz']) {
      expect(await ask(url + path, { headers: { Host: '10.0.0.7' } })).toMatchObject({ status: 200 })
      expect(await ask(url + path, { method: 'POST' })).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } })
    }
  })

  it('is served at a separate address if configured, and not on the main one', async () => {
    const ops = `http://127.0.0.1:${await freePort()}`
    const { url } = await start(['--ops-listen', ops.slice('http://'.length)])
    for (const path of ['/healthz', '/readyz', '/metrics']) {
      expect((await ask(ops + path)).status).toBe(200)
      expect((await ask(url + path)).status).toBe(404)
    }
    expect((await ask(`${ops}/subscribe`)).status).toBe(404)
  })
})

describe('T6: metrics', () => {
  const figures = async (url: string, headers = {}) => {
    const { text } = await ask(`${url}/metrics`, { headers })
    return Object.fromEntries(
      text
        .split('\n')
        .filter((line) => /^tidings_\w+(\{[^}]*\})? /.test(line))
        .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))])
    )
  }

  it('count publishes, deliveries, connects, closes and rejections', async () => {
    const { url } = await start()
    const clients = [await listen(`${url}/subscribe`), await listen(`${url}/subscribe`)]
    await post(`${url}/publish`, 'hello')
    for (const client of clients) await client.received(1)
    clients[0]?.close()
    await ask(`${url}/subscribe?nonsense`)
    await ask(`${url}/updates?after=earliest`)
    await expect
      .poll(() => figures(url))
      .toMatchObject({
        tidings_published_total: 1,
        tidings_delivered_total: 2,
        tidings_connects_total: 2,
        tidings_history_pages_total: 1,
        tidings_history_updates_total: 1,
        'tidings_closes_total{reason="client"}': 1,
        'tidings_refusals_total{code="parameter_unknown"}': 1,
        tidings_subscribers_live: 1,
        tidings_audiences: 1,
        tidings_head: 1,
        tidings_log_entries: 1,
        tidings_append_seconds_count: 1,
        // Each worker writes to the sockets that it has.
        tidings_publish_to_socket_seconds_count: hasWorkers ? 2 : 1
      })
  })

  it('require permission to read /metrics on a server with keys', async () => {
    const { url } = await start(keyed)
    expect((await ask(`${url}/metrics`)).status).toBe(401)
    const other = bearer(await token('1.0', { subscribe: ['a'] }))
    expect((await ask(`${url}/metrics`, { headers: other })).status).toBe(403)
    const right = bearer(await token('1.0', { subscribe: ['/metrics'] }))
    expect((await figures(url, right)).tidings_head).toBe(0)
  })

  it('include every metric of the dashboard', async () => {
    const { url } = await start()
    await ask(`${url}/nowhere`)
    const known = (await ask(`${url}/metrics`)).text
    const dashboard = readFileSync('deploy/grafana/tidings.json', 'utf8')
    const wanted = new Set(dashboard.match(/(?:tidings|nodejs|process)_[a-z0-9_]+/g))
    expect(wanted.size).toBeGreaterThan(15)
    const missing = [...wanted].filter((name) => !known.includes(`# TYPE ${name.replace(/_(bucket|sum|count)$/, '')} `))
    expect(missing).toEqual([])
  })
})

describe('log lines', () => {
  const linesOf = (output: string) =>
    output
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ msg }) => msg !== 'a worker has started')

  it('report start, rejections, closes and stop, with the request id and without request data', async () => {
    const { url, output, kill } = await startProcess([...keyed, '--log-level', 'debug'])
    const rights = bearer(await token('0.x', { subscribe: ['secret-topic'], payload: 'secret-payload' }))
    const client = await listen(`${url}${hubPath}?topic=secret-topic`, rights)
    const refused = await ask(`${url}/publish?topic=secret-topic&authorization=secret-token`, {
      method: 'POST',
      body: 'secret-data'
    })
    client.close()
    await expect.poll(() => linesOf(output()).map(({ msg }) => msg)).toEqual(['started', 'joined', 'refused', 'closed'])
    await kill('SIGTERM')
    const lines = linesOf(output())
    expect(lines.map(({ msg }) => msg)).toEqual(['started', 'joined', 'refused', 'closed', 'stopping', 'stopped'])
    expect(lines[2]).toMatchObject({
      code: 'token_malformed',
      path: '/publish',
      request: refused.headers['x-request-id']
    })
    expect(lines[3]).toMatchObject({ reason: 'client', request: client.headers['x-request-id'] })
    expect(output()).not.toMatch(/secret-|a-secret-for/)
  })

  it('report why a token was refused, which the response does not say', async () => {
    const { url, output } = await start([...keyed, '--log-level', 'info'])
    const publish = async (headers: Record<string, string>) => (await post(`${url}/publish`, 'x', headers)).text
    const elsewhere = { aud: 'https://other.example.com' }
    const answers = [
      await publish(bearer(await token('1.0', { publish: ['*'], claims: elsewhere }))),
      await publish(bearer(await token('0.x', { publish: ['*'], key: keys.subscribe }))),
      await publish(bearer(await token('0.x', { publish: ['*'], expiresIn: -60 }))),
      await publish({ Authorization: 'Basic eDp4' })
    ]
    expect(answers.slice(0, 3)).toEqual(Array(3).fill('The token is not valid.\n'))
    expect(answers[3]).toBe('The request must contain exactly one well-formed token.\n')
    await expect
      .poll(() => linesOf(output()).flatMap(({ msg, reason }) => (msg === 'refused' ? [reason] : [])))
      .toEqual([
        `aud: expected "${audience}", got "https://other.example.com"`,
        'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
        'ERR_JWT_EXPIRED',
        'not a Bearer token'
      ])
  })

  it('report no stream at the default level', async () => {
    const { url, output, kill } = await startProcess()
    const client = await listen(`${url}/subscribe`)
    client.close()
    await expect.poll(async () => (await ask(`${url}/debug`)).text).toBe('Currently 0 subscriptions')
    await kill('SIGTERM')
    expect(linesOf(output()).map(({ msg }) => msg)).toEqual(['started', 'stopping', 'stopped'])
  })

  it.each(['pretty', 'json'])('contain no control characters from clients, in format %s', async (format) => {
    const { url, output } = await start(['--h2c', '--log-format', format])
    // HTTP/2 allows characters in a path that HTTP/1.1 rejects.
    await http2Ask(http2Session(url), '/\x9b31m\x85')
    await expect.poll(output).toContain('refused')
    expect(output()).toContain('/\\u009b31m\\u0085')
    expect(output()).not.toMatch(/[\x7f-\x9f]/)
  })

  it('are human-readable on request, and respect the level', async () => {
    const { url, output } = await start(['--log-format', 'pretty', '--log-level', 'debug'])
    await listen(`${url}/subscribe`)
    await expect
      .poll(output)
      .toMatch(/^\d\d:\d\d:\d\d\.\d{3} debug joined (worker=\d )?request=\S+ address=127\.0\.0\.1:\d+$/m)
    const quiet = await start(['--log-level', 'silent'])
    await ask(`${quiet.url}/nowhere`)
    expect(quiet.output()).not.toContain('refused')
  })
})

describe('SIGHUP', () => {
  const reload = (pid: number) => process.kill(pid, 'SIGHUP')

  it('applies keys, limits, retention and log level from the file, and ends no stream', async () => {
    const file = join(newFolder(), 'tidings.yaml')
    writeFileSync(file, `publisherKey: ${keys.publish}\nanonymous: true\n`)
    const { url, pid, output } = await startProcess(['--config', file])
    const client = await listen(`${url}/subscribe`)
    const right = bearer(await token('0.x', { publish: ['*'] }))
    const otherKey = 'another-key-that-is-long-enough-for-hs256'
    const other = bearer(await token('0.x', { publish: ['*'], key: otherKey }))
    for (const data of ['1', '2', '3']) await post(`${url}/publish`, data, right)
    expect((await post(`${url}/publish`, 'x', other)).status).toBe(401)
    const rules = 'retention: [{ match: "*", entries: 2 }]'
    writeFileSync(file, `publisherKey: ${otherKey}\nanonymous: true\nmaxConnections: 2\n${rules}\nlogLevel: warn\n`)
    reload(pid)
    // Each worker reloads, and answers every second request.
    const refused = async () => (await post(`${url}/publish?id=%23x`, 'x', other)).status
    await expect.poll(async () => [await refused(), await refused()]).toEqual([400, 400])
    expect((await post(`${url}/publish`, '4', other)).status).toBe(200)
    expect((await post(`${url}/publish`, 'x', right)).status).toBe(401)
    expect(await client.received(4)).toEqual(['1', '2', '3', '4'])
    const late = await listen(`${url}/subscribe?last_event_id=earliest`)
    expect(await late.received(2)).toEqual(['3', '4'])
    expect((await ask(`${url}/subscribe`)).status).toBe(503)
    expect(output()).not.toContain('connections_too_many')
  })

  it('keeps the configuration when the file is invalid, and reports the error', async () => {
    const file = join(newFolder(), 'tidings.json')
    writeFileSync(file, '{ "heartbeat": "1s" }')
    const { url, pid, output } = await startProcess(['--config', file])
    const client = await listen(`${url}/subscribe`)
    writeFileSync(file, '{ "hartbeat": "1s" }')
    reload(pid)
    await expect
      .poll(output)
      .toMatch(/not reloaded, the old configuration stays in use: .*hartbeat.*did you mean \\"heartbeat/)
    writeFileSync(file, `{ "subscriberKey": "${keys.subscribe}" }`)
    reload(pid)
    await expect.poll(output).toContain('--publisher-key: required')
    await post(`${url}/publish`, 'as before')
    expect(await client.received(1)).toEqual(['as before'])
  })

  it('applies new retention rules to a log on disk', async () => {
    const [file, data] = [join(newFolder(), 'tidings.yaml'), newFolder()]
    writeFileSync(file, `data: ${data}\n`)
    const { url, pid, output } = await startProcess(['--config', file])
    for (const topic of ['a', 'b', 'a', 'b', 'a']) await post(`${url}/publish?topic=${topic}`, topic)
    writeFileSync(file, `data: ${data}\nretention: [{ match: a, last: 1 }]\n`)
    reload(pid)
    await expect.poll(output).toContain('reloaded')
    const client = await listen(`${url}/subscribe?last_event_id=earliest`)
    expect(await client.received(3)).toEqual(['b', 'b', 'a'])
  })
})
