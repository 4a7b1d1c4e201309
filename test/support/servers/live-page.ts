// The live page in a browser: opens it, reads it, and types into it. It verifies nothing.
import { type Browser, chromium, type Page } from 'playwright-core'
import { expect, onTestFinished } from 'vitest'

const isRoot = process.getuid?.() === 0
/** Flags that disable background activity of the browser. */
export const args = [
  ...(isRoot ? ['--no-sandbox'] : []),
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync'
]

export function launch(executablePath: string): Promise<Browser> {
  // Users have the back/forward cache.
  return chromium.launch({ executablePath, args, ignoreDefaultArgs: ['--disable-back-forward-cache'] })
}

const unused = new WeakMap<Browser, Page[]>()

/** An empty page, which another test may have used before: a new one takes a second of processor time. */
export async function emptyPage(browser: Browser): Promise<Page> {
  const pages = unused.get(browser) ?? []
  unused.set(browser, pages)
  const page = pages.pop() ?? (await browser.newPage())
  onTestFinished(async () => {
    // With its browser.
    if (page.isClosed()) return
    for (const type of ['console', 'pageerror', 'request']) page.removeAllListeners(type)
    await page.unrouteAll()
    await page.evaluate(() => sessionStorage.clear())
    await page.goto('about:blank')
    pages.push(page)
  })
  return page
}

export interface LivePage {
  readonly page: Page
  /** The data of the events on the page, oldest first; a gap appears as `gap`. */
  shown(): Promise<string[]>
  /** Waits until the page shows exactly these, in this order. */
  shows(...data: string[]): Promise<void>
  /** Waits for the connection state. */
  is(state: 'Connecting…' | 'Live' | 'Reconnecting…' | 'Ended'): Promise<void>
  publish(data: string, fields?: { topic?: string; type?: string }): Promise<void>
  /** Browser errors: console errors, script errors, and violations of the content security policy. */
  readonly complaints: string[]
}

/** Opens the page, waits until it is live, and leaves it when the test ends. */
export async function openLivePage(browser: Browser, url: string, width = 1200): Promise<LivePage> {
  const page = await emptyPage(browser)
  await page.setViewportSize({ width, height: 800 })
  const complaints: string[] = []
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(String(error)))
  await page.goto(url)
  const live: LivePage = {
    page,
    complaints,
    async shown() {
      const texts = await page.locator('#events > li').evaluateAll((items) => {
        return items.map((item) => item.querySelector('.data')?.textContent ?? 'gap')
      })
      return texts.reverse()
    },
    async shows(...data) {
      await expect.poll(live.shown, waiting).toEqual(data)
    },
    async is(state) {
      await expect.poll(() => page.locator('#state').textContent(), waiting).toBe(state)
    },
    async publish(data, { topic = '', type = '' } = {}) {
      await page.getByLabel('Topic', { exact: true }).fill(topic)
      await page.getByLabel('Type').fill(type)
      await page.getByLabel('Data').fill(data)
      await page.getByLabel('Data').press('Enter')
    }
  }
  await live.is('Live')
  return live
}

/** Generous limits: a browser reconnects after about three seconds. */
export const waiting = { interval: 30 }
