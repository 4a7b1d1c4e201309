// Pages in a real browser that subscribe from another origin: with cookies, and with a polyfill that sends headers.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type Dialect, dialects, form, fresh, hubPath, keyed, MercureServer, token } from '../support/http/mercure.ts'
import { describeWith, headlessChromium } from '../support/requirements.ts'
import { cuttableProxy } from '../support/servers/cuttable-proxy.ts'
import { launch } from '../support/servers/live-page.ts'

const polyfill = fileURLToPath(new URL('../../node_modules/event-source-polyfill/src/eventsource.js', import.meta.url))
const cookieNames = { '1.0': '__Secure-mercure_access_token', '0.x': 'mercureAuthorization' }
/** Global variables of the page that contain its results. */
declare const seen: string[]

describeWith(await headlessChromium(), 'a page of another origin', (executablePath) => {
  const hub = new MercureServer()
  let browser: Browser
  /** The allowed origin, and an unknown one. */
  const sites: Record<'known' | 'foreign', string> = { known: '', foreign: '' }
  const servers = [createServer(answer), createServer(answer)]

  beforeAll(async () => {
    browser = await launch(executablePath)
    for (const server of servers) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const [known, foreign] = servers.map((server) => `http://localhost:${(server.address() as AddressInfo).port}`)
    Object.assign(sites, { known, foreign })
    await hub.start([...keyed, '--cors-origins', sites.known, '--publish-origins', sites.known])
  })
  afterAll(async () => {
    await browser.close()
    await hub.stop()
    for (const server of servers) server.close()
  })

  describe.each(dialects)('in %s', (dialect) => {
    test('receives private updates with its cookie, is disconnected, and resumes', async () => {
      const topic = fresh()
      const proxy = await cuttableProxy(hub.process.port)
      onTestFinished(() => proxy.close())
      const page = await open(sites.known, await cookie(dialect, { subscribe: [topic] }))
      await follow(page, streamUrl(proxy.url, dialect, topic))
      const publish = (data: string) => hub.publish(dialect, { topic, data, private: 'on', retry: '50' })
      await publish('one')
      await shows(page, ['one'])
      proxy.cut()
      await publish('two')
      proxy.mend()
      await publish('three')
      await shows(page, ['one', 'two', 'three'])
    })

    test('receives nothing without a cookie, or from an unknown origin', async () => {
      const topic = fresh()
      const rights = await cookie(dialect, { subscribe: [topic] })
      for (const page of [await open(sites.known), await open(sites.foreign, rights)]) {
        await expect(follow(page, streamUrl(hub.url, dialect, topic))).rejects.toThrow('refused')
      }
    })

    test('publishes with its cookie from an allowed origin, and not from another', async () => {
      const topic = fresh()
      const rights = await cookie(dialect, { publish: [topic] })
      const [known, foreign] = [await open(sites.known, rights), await open(sites.foreign, rights)]
      const reader = await hub.follow(dialect, topic)
      await send(foreign, form({ topic, data: 'forged' }))
      await send(known, form({ topic, data: 'ours' }))
      expect(await reader.received(1)).toEqual(['ours'])
    })

    test('receives updates with a token in a header, as a polyfill sends it, and resumes after a disconnect', async () => {
      const topic = fresh()
      const proxy = await cuttableProxy(hub.process.port)
      onTestFinished(() => proxy.close())
      const page = await open(sites.known)
      await page.addScriptTag({ path: polyfill })
      await follow(page, streamUrl(proxy.url, dialect, topic), await token(dialect, { subscribe: [topic] }))
      const publish = (data: string) => hub.publish(dialect, { topic, data, private: 'on', retry: '50' })
      await publish('one')
      await shows(page, ['one'])
      proxy.cut()
      await publish('two')
      proxy.mend()
      await publish('three')
      await shows(page, ['one', 'two', 'three'])
    })
  })

  async function open(site: string, ...cookies: Parameters<BrowserContext['addCookies']>[0][]): Promise<Page> {
    const context = await browser.newContext()
    onTestFinished(() => context.close())
    await context.addCookies(cookies.flat())
    const page = await context.newPage()
    await page.goto(site)
    return page
  }

  /** The browser accepts a secure cookie from localhost without TLS. */
  async function cookie(dialect: Dialect, rights: Parameters<typeof token>[1]) {
    const value = await token(dialect, rights)
    return [{ name: cookieNames[dialect], value, domain: 'localhost', path: '/', secure: true, httpOnly: true }]
  }

  async function send(page: Page, body: string): Promise<void> {
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
    const options = { method: 'POST', body, headers, credentials: 'include' as const }
    await page.evaluate(([url, options]) => fetch(url, options).then((answer) => answer.text(), String), [
      localhost(hub.hub),
      options
    ] as const)
  }
})

/** Cookies belong to a host name, for all ports. */
const localhost = (url: string) => url.replace('127.0.0.1', 'localhost')

const streamUrl = (base: string, dialect: Dialect, topic: string) =>
  `${localhost(base)}${hubPath}?${form({ [dialect === '1.0' ? 'match' : 'topic']: topic })}`

/** Resolves when the stream is open, rejects when the browser gives up. */
async function follow(page: Page, url: string, bearer?: string): Promise<void> {
  await page.evaluate(
    ([url, bearer]) =>
      new Promise<void>((resolve, reject) => {
        const { EventSourcePolyfill: Polyfill } = globalThis as unknown as { EventSourcePolyfill: typeof EventSource }
        const headers = { Authorization: `Bearer ${bearer}` }
        const source = bearer
          ? new Polyfill(url, { headers, heartbeatTimeout: 60_000 } as EventSourceInit)
          : new EventSource(url, { withCredentials: true })
        Object.assign(globalThis, { seen: [] })
        source.onopen = () => resolve()
        source.onmessage = ({ data }) => void seen.push(data)
        source.onerror = () => source.readyState === 2 && reject(new Error('refused'))
      }),
    [url, bearer] as const
  )
}

async function shows(page: Page, data: string[]): Promise<void> {
  await expect.poll(() => page.evaluate(() => seen)).toEqual(data)
}

function answer(_: unknown, response: { setHeader(name: string, value: string): void; end(text: string): void }): void {
  response.setHeader('Content-Type', 'text/html')
  response.end('<!doctype html><title>a page</title>')
}
