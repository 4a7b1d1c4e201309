// What every integration must do: the same tests for each way to serve a hub next to the routes of an app.
import { describe, expect, it, onTestFinished } from 'vitest'
import { type AuthorizeAnswer, createHub, type Hub, MemoryLog } from '../../../dist/index.js'
import { listen, type SseClient } from '../http/sse-client.ts'

/** An app that serves a hub at `/events`, and answers `own` to `GET /own`. */
export interface App {
  /** Without a slash at its end. */
  readonly origin: string
  /** Stops the server. The hub is closed already, or is closed by the app. */
  close(): Promise<void>
}

export interface AppOptions {
  /** Decides by the header `cookie`, as the app's session would. */
  readonly authorize?: (
    cookie: string | undefined,
    topics: readonly unknown[]
  ) => AuthorizeAnswer | Promise<AuthorizeAnswer>
}

export interface SuiteOptions {
  /** Opens a stream or sends a request; default over HTTP/1.1. */
  readonly connect?: typeof listen
  /** The app compresses what it answers itself. */
  readonly compresses?: boolean
}

/**
 * Declares the tests.
 * @param start serves the hub in a new app, on a free port of 127.0.0.1
 */
export function integrationSuite(
  name: string,
  start: (hub: Hub, options: AppOptions) => Promise<App>,
  { connect = listen, compresses = false }: SuiteOptions = {}
): void {
  /** An app with a hub that keeps five updates, until the test ends. */
  async function serve(options: AppOptions = {}) {
    const hub = createHub({ heartbeat: 0, log: new MemoryLog({ entries: 5 }), window: { entries: 5 } })
    const { origin, close } = await start(hub, options)
    onTestFinished(async () => {
      await hub.close()
      await close()
    })
    return { hub, origin, url: `${origin}/events` }
  }

  /** Sends a request, and waits for the whole response. */
  async function ask(url: string, { method = 'GET', body = '', ...headers }: Record<string, string> = {}) {
    const { status, raw } = await (await connect(url, headers, { method, body })).until(({ ended }) => ended)
    return { status, text: raw }
  }

  const publish = (url: string, body: string, headers: Record<string, string> = {}) =>
    ask(`${url}/publish?topic=t`, { method: 'POST', 'content-type': 'text/plain', body, ...headers })

  const publishNumbers = async ({ hub }: { readonly hub: Hub }, first: number, last: number) => {
    for (let number = first; number <= last; number++) await hub.publish({ topics: ['t'], data: `${number}` })
  }

  const subscriber = (hub: Hub) => [...hub.subscribers][0]
  const json = { accept: 'application/json' }

  describe(name, () => {
    it('streams what the app and its clients publish, at once and not compressed', async () => {
      const { hub, origin, url } = await serve()
      const gzip = { 'accept-encoding': 'gzip' }
      const client = await connect(`${url}/subscribe?topic=t`, gzip)
      await hub.publish({ topics: ['t'], data: 'from the app' })
      expect(await publish(url, 'from a client')).toEqual({ status: 200, text: '200 OK\n' })
      expect(await client.received(2)).toEqual(['from the app', 'from a client'])
      expect(client.status).toBe(200)
      expect(client.headers).toMatchObject({
        'content-type': expect.stringContaining('text/event-stream'),
        'cache-control': expect.stringContaining('no-transform')
      })
      expect(client.headers['content-encoding']).toBeUndefined()
      const own = await connect(`${origin}/own`, gzip)
      await own.until(({ ended }) => ended)
      expect(own.headers['content-encoding']).toBe(compresses ? 'gzip' : undefined)
    })

    it('serves all endpoints below the path, and leaves other paths to the app', async () => {
      const { hub, origin, url } = await serve()
      const mercure = await connect(`${url}/.well-known/mercure?match=*`)
      const form = { method: 'POST', 'content-type': 'application/x-www-form-urlencoded', body: 'topic=t&data=form' }
      expect(await ask(`${url}/.well-known/mercure`, form)).toMatchObject({ status: 200 })
      const lines = { method: 'POST', 'content-type': 'application/x-ndjson', body: '{"topic":"t","data":"line"}\n' }
      expect(await ask(`${url}/publish`, lines)).toMatchObject({ status: 200 })
      expect(await mercure.received(2)).toEqual(['form', 'line'])
      const page = await ask(`${url}/updates?last=2`)
      expect(JSON.parse(page.text)).toMatchObject({ updates: [{ data: 'form' }, { data: 'line' }] })
      expect(await ask(`${url}/other`)).toMatchObject({ status: 404 })
      expect(await ask(`${url}/subscribe`, { method: 'HEAD' })).toEqual({ status: 200, text: '' })
      expect(await ask(`${url}/subscribe`, { method: 'OPTIONS' })).toMatchObject({ status: 204 })
      expect(await ask(`${origin}/own`)).toEqual({ status: 200, text: 'own' })
      expect(hub.status.subscribers).toBe(1)
    })

    it('changes the topics of a live stream', async () => {
      const { hub, url } = await serve()
      const client = await connect(`${url}/subscribe?topic=a&control=1`)
      await client.received(1)
      const { control } = JSON.parse(client.data[0] as string) as { control: string }
      const type = { 'content-type': 'application/json' }
      const change = { method: 'PATCH', body: '{"add":["b"]}', ...type }
      expect(await ask(new URL(control, `${url}/subscribe`).href, change)).toMatchObject({ status: 202 })
      await client.until(({ events }) => events.some(({ event }) => event === 'tidings:changed'), 'the confirmation')
      await hub.publish({ topics: ['b'], data: 'added' })
      await client.until(({ data }) => data.at(-1) === 'added', 'the added topic')
    })

    it('resumes after the last id, with exactly what was missed', async () => {
      const served = await serve()
      await publishNumbers(served, 1, 1)
      const first = await connect(`${served.url}/subscribe?last_event_id=earliest`)
      await first.received(1)
      first.close()
      await publishNumbers(served, 2, 3)
      const second = await connect(`${served.url}/subscribe`, { 'last-event-id': first.events[0]?.id as string })
      await publishNumbers(served, 4, 4)
      expect(await second.received(3)).toEqual(['2', '3', '4'])
    })

    it('reports a gap if the missed updates are no longer kept', async () => {
      const served = await serve()
      await publishNumbers(served, 1, 8)
      const requested = `#${served.hub.status.epoch}-1`
      const client = await connect(`${served.url}/subscribe`, { 'last-event-id': requested })
      await client.received(6)
      expect(client.events[0]?.event).toBe('tidings:gap')
      expect(JSON.parse(client.data[0] as string)).toMatchObject({ requested, reason: 'trimmed' })
      expect(client.data.slice(1)).toEqual(['4', '5', '6', '7', '8'])
    })

    it('does not buffer for a slow reader: it is behind, and then receives everything in order', async () => {
      const { hub, url } = await serve()
      const client = await connect(`${url}/subscribe`)
      client.pause()
      let count = 0
      const size = 30_000
      const publishOne = () => hub.publish({ topics: ['t'], data: `${count++} ${'x'.repeat(size)}` })
      while (!subscriber(hub)?.full) await publishOne().then(() => new Promise(setImmediate))
      // Three more, which the hub still keeps when the client reads on.
      for (let more = 0; more < 3; more++) await publishOne()
      expect(subscriber(hub)?.state).toBe('behind')
      // The high-water mark, one batch, and the framing.
      expect(subscriber(hub)?.connection.buffered).toBeLessThan(64 * 1_024 + 5 * size)
      client.resume()
      const numbers = (await client.received(count)).map((text) => Number.parseInt(text, 10))
      expect(numbers).toEqual(Array.from({ length: count }, (_, number) => number))
      await expect.poll(() => subscriber(hub)?.state).toBe('live')
    })

    it.each([
      ['live', false],
      ['slow', true]
    ])('notices that a %s client disconnects, without writing to it', async (_, isSlow) => {
      const { hub, url } = await serve()
      const client = await connect(`${url}/subscribe`)
      if (isSlow) client.pause()
      const data = 'x'.repeat(30_000)
      while (isSlow && !subscriber(hub)?.full)
        await hub.publish({ topics: ['t'], data }).then(() => new Promise(setImmediate))
      client.close()
      await expect.poll(() => hub.status.subscribers).toBe(0)
      // Not `slow`: it was noticed before the time limit of a client that does not read.
      expect(hub.stats.closes).toMatchObject([{ reason: 'client' }])
    })

    it('refuses what the app refuses, and delivers private updates as the app grants them', async () => {
      const { hub, url } = await serve({
        authorize: (cookie, topics) =>
          cookie === 'session=ann' ? !topics.includes('secret') && { readable: ['t'] } : cookie !== undefined
      })
      const ann = { cookie: 'session=ann' }
      const refused = await ask(`${url}/subscribe`, json)
      expect(refused.status).toBe(403)
      expect(JSON.parse(refused.text)).toMatchObject({ error: { code: 'not_granted' } })
      expect(await publish(url, 'no')).toMatchObject({ status: 403 })
      expect(await ask(`${url}/subscribe?topic=secret`, ann)).toMatchObject({ status: 403 })
      const [member, guest] = [
        await connect(`${url}/subscribe`, ann),
        await connect(`${url}/subscribe`, { cookie: 'session=bob' })
      ]
      await hub.publish({ topics: ['t'], data: 'private', private: true })
      expect(await publish(url, 'public', ann)).toMatchObject({ status: 200 })
      expect(await member.received(2)).toEqual(['private', 'public'])
      expect(await guest.received(1)).toEqual(['public'])
    })

    it('leaves nothing of a client that disconnects while the app decides', async () => {
      const gone = new AbortController()
      const decisions: ((answer: AuthorizeAnswer) => void)[] = []
      const authorize = () => new Promise<AuthorizeAnswer>((resolve) => decisions.push(resolve))
      const { hub, url } = await serve({ authorize })
      const leaving = connect(`${url}/subscribe`, {}, { signal: gone.signal }).catch((error: unknown) => error)
      await expect.poll(() => decisions.length).toBe(1)
      gone.abort()
      expect(await leaving).toBeInstanceOf(Error)
      const staying = connect(`${url}/subscribe`)
      await expect.poll(() => decisions.length).toBe(2)
      for (const decide of decisions) decide(true)
      expect((await staying).status).toBe(200)
      await expect.poll(() => hub.status.subscribers).toBe(1)
    })

    it('ends its streams when the hub closes', async () => {
      const { hub, url } = await serve()
      const clients: SseClient[] = [await connect(`${url}/subscribe`), await connect(`${url}/subscribe`)]
      await hub.close()
      for (const client of clients) await client.until(({ ended }) => ended, 'the end of the stream')
      expect(await ask(`${url}/subscribe`, json)).toMatchObject({ status: 503 })
    })
  })
}
