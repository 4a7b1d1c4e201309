// Pages in a browser that have the client: several pages of one origin in one browser context, and what a test does in them.
import { build } from 'esbuild'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { expect, onTestFinished } from 'vitest'
import type * as Client from '../../../dist/client/index.js'
import { publish } from '../../../dist/client/index.js'
import { type LocalServer, startInProcess } from '../servers/in-process.ts'
import { waiting } from '../servers/live-page.ts'
import { scriptedServer } from './scripted-server.ts'

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

/** A browser context whose documents all have the client as `window.tidings`. */
export interface Site {
  readonly context: BrowserContext
  /** The origin of the pages. `/client.js` is the client as a classic script that defines `tidings`; most other paths are empty pages. */
  readonly url: string
  /** More scripts of the origin, by path. */
  readonly scripts: Map<string, string>
  /** Opens another page of the same origin. */
  open(): Promise<Page>
}

/** Starts a server that pages of any origin may use. It is stopped when the test ends. */
export async function server(args: string[] = []): Promise<LocalServer> {
  const started = await startInProcess({ args: ['--cors-origins', '*', ...args] })
  onTestFinished(() => started.stop())
  return started
}

/** @param hub the URL of the hub for the pages */
export async function openSite(browser: Browser, hub: string): Promise<Site> {
  const context = await browser.newContext()
  onTestFinished(() => context.close())
  return siteIn(context, hub)
}

/** The same in an existing context. */
export async function siteIn(context: BrowserContext, hub: string): Promise<Site> {
  const bundle = await clientBundle()
  // Every document has the client, also after a reload.
  await context.addInitScript({
    content: `${bundle.replace(/^var tidings/m, 'window.tidings')}; window.hub = () => new URLSearchParams(location.search).get('hub')`
  })
  const scripts = new Map([['/client.js', bundle]])
  const { url } = await scriptedServer((response, { url = '' }) => {
    const script = scripts.get(url)
    response.writeHead(200, { 'Content-Type': script === undefined ? 'text/html' : 'text/javascript' })
    response.end(script ?? '<!doctype html><title>app</title>')
  })
  const open = async () => {
    const page = await context.newPage()
    await page.goto(`${url}/?hub=${encodeURIComponent(hub)}`)
    return page
  }
  return { context, url, scripts, open }
}

/** Opens one page in a browser context of its own. */
export async function openPage(browser: Browser, hub: string): Promise<Site & { readonly page: Page }> {
  const site = await openSite(browser, hub)
  return { ...site, page: await site.open() }
}

let bundled: Promise<string> | undefined

/** The client as one script that defines the variable `tidings`. */
function clientBundle(): Promise<string> {
  bundled ??= build({
    entryPoints: ['dist/client/index.js'],
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'tidings'
  }).then(({ outputFiles }) => outputFiles[0]?.text as string)
  return bundled
}

export type FollowOptions = Client.SubscribeOptions<unknown> & { readonly isStored?: boolean }

/** Subscribes to the topic `a` in the page. */
export async function subscribeIn(page: Page, options: FollowOptions = {}): Promise<void> {
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
}

/** Subscribes to the topic `a` in the page, and waits until the subscription is live. */
export async function follow(page: Page, options: FollowOptions = {}): Promise<void> {
  await subscribeIn(page, options)
  await is(page, 'live')
}

/** Waits for a state of the page's subscription. */
export const is = (page: Page, status: Client.State['status']) =>
  expect.poll(() => page.evaluate(() => window.subscription.state), waiting).toMatchObject({ status })

/** Waits until the page has received exactly this data. */
export const shows = (page: Page, ...data: unknown[]) =>
  expect.poll(() => page.evaluate(() => window.got), waiting).toEqual(data)

/** Publishes to the topic `a`. */
export const send = (url: string, ...data: unknown[]) =>
  publish(
    `${url}/publish`,
    data.map((one) => ({ topics: 'a', data: one }))
  )

/** What the page would see if its tab were hidden. */
export const hide = (page: Page, isHidden: boolean) =>
  page.evaluate((isHidden) => {
    Object.defineProperty(document, 'hidden', { value: isHidden, configurable: true })
    document.dispatchEvent(new Event('visibilitychange'))
  }, isHidden)
