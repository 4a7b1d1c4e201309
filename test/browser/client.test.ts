// The client in a real browser: offline and online, hidden tabs, reloads, and a server that crashes.
import { build } from 'esbuild'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import type * as Client from '../../dist/client/index.js'
import { publish } from '../../dist/client/index.js'
import { scriptedServer } from '../support/client/scripted-server.ts'
import { chromium, describeWith } from '../support/requirements.ts'
import { launch, waiting } from '../support/servers/live-page.ts'
import { type ServerProcess, startServer } from '../support/servers/server.ts'

declare global {
  interface Window {
    tidings: typeof Client
    /** The URL of the hub. */
    hub(): string
    got: unknown[]
    states: Client.State[]
    subscription: Client.Subscription<unknown>
  }
}

describeWith(await chromium(), 'the client in a browser', (executablePath) => {
  let browser: Browser
  let bundle: string

  beforeAll(async () => {
    browser = await launch(executablePath)
    const { outputFiles } = await build({
      entryPoints: ['dist/client/index.js'],
      bundle: true,
      write: false,
      format: 'iife',
      globalName: 'tidings'
    })
    bundle = outputFiles[0]?.text as string
  })
  afterAll(() => browser.close())

  async function server(args: string[] = []): Promise<ServerProcess> {
    const started = await startServer({ args: ['--cors-origins', '*', ...args] })
    onTestFinished(() => started.kill())
    return started
  }

  async function openPage(url: string): Promise<{ page: Page; context: BrowserContext }> {
    const context = await browser.newContext()
    onTestFinished(() => context.close())
    // Every document has the client, also after a reload.
    await context.addInitScript({
      content: `${bundle.replace(/^var tidings/m, 'window.tidings')}; window.hub = () => new URLSearchParams(location.search).get('hub')`
    })
    const page = await context.newPage()
    const site = await scriptedServer((response) => {
      response.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html><title>app</title>')
    })
    await page.goto(`${site.url}/?hub=${encodeURIComponent(url)}`)
    return { page, context }
  }

  /** Subscribes to the topic `a` in the page, and waits until the subscription is live. */
  async function follow(page: Page, options: Client.SubscribeOptions<unknown> & { isStored?: boolean } = {}) {
    await page.evaluate(({ isStored, ...options }) => {
      window.got = []
      window.states = []
      const storage = isStored ? sessionStorage : undefined
      const subscription = window.tidings.subscribe(`${window.hub()}/subscribe`, {
        topics: 'a',
        ...options,
        ...(storage && { storage })
      })
      subscription.on('state', (state) => window.states.push(state))
      subscription.on('update', ({ data }) => window.got.push(data))
      window.subscription = subscription
    }, options)
    await is(page, 'live')
  }

  const is = (page: Page, status: string) =>
    expect.poll(() => page.evaluate(() => window.subscription.state), waiting).toMatchObject({ status })
  const shows = (page: Page, ...data: unknown[]) =>
    expect.poll(() => page.evaluate(() => window.got), waiting).toEqual(data)
  const send = (url: string, ...data: unknown[]) =>
    publish(
      `${url}/publish`,
      data.map((one) => ({ topics: 'a', data: one }))
    )

  /** What the page would see if its tab were hidden. */
  const hide = (page: Page, isHidden: boolean) =>
    page.evaluate((isHidden) => {
      Object.defineProperty(document, 'hidden', { value: isHidden, configurable: true })
      document.dispatchEvent(new Event('visibilitychange'))
    }, isHidden)

  test('reacts to offline and online at once, without loss', async () => {
    const { url } = await server()
    const { page, context } = await openPage(url)
    await follow(page)
    await send(url, 1)
    await shows(page, 1)
    await context.setOffline(true)
    await is(page, 'waiting')
    await send(url, 2, 3)
    await context.setOffline(false)
    await shows(page, 1, 2, 3)
    const reasons = await page.evaluate(() =>
      window.states.map((state) => (state.status === 'waiting' ? state.reason : state.status))
    )
    expect(reasons).toContain('the network is offline')
  })

  test('pauses in a hidden tab, and continues without loss', async () => {
    const { url } = await server()
    const { page } = await openPage(url)
    await follow(page, { pauseWhenHidden: true })
    await hide(page, true)
    await is(page, 'waiting')
    const count = async () => (await fetch(`${url}/debug`)).text()
    await expect.poll(count, waiting).toBe('Currently 0 subscriptions')
    await send(url, 1, 2)
    await hide(page, false)
    await shows(page, 1, 2)
  })

  test('continues after a reload of the page from its storage', async () => {
    const { url } = await server()
    const { page } = await openPage(url)
    await follow(page, { isStored: true })
    await send(url, 1)
    await shows(page, 1)
    await page.reload()
    await send(url, 2)
    await follow(page, { isStored: true })
    await shows(page, 2)
  })

  test('TidingsSource resumes after a crash of the server', async () => {
    const { url, port, kill } = await server()
    const { page } = await openPage(url)
    await page.evaluate(() => {
      window.got = []
      const source = new window.tidings.TidingsSource(`${window.hub()}/subscribe?topic=a`)
      source.onmessage = ({ data }) => window.got.push(data)
      source.addEventListener('tidings:gap', () => window.got.push('gap'))
      return new Promise((resolve) => {
        source.onopen = resolve
      })
    })
    await send(url, 'before')
    await shows(page, 'before')
    await kill('SIGKILL')
    const again = await startServer({ port, args: ['--cors-origins', '*'] })
    onTestFinished(() => again.kill())
    await send(url, 'after')
    await shows(page, 'before', 'gap', 'after')
  })
})
