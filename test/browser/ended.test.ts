// Chromium's EventSource and topics that end: it stops for good after the last update, and continues after a page that was rendered.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { ask, post, serve } from '../support/http/http.ts'
import { describeWith, headlessChromium } from '../support/requirements.ts'
import { launch } from '../support/servers/live-page.ts'

/** Global variables of the page that contain its results. */
declare const seen: string[]
declare const source: EventSource

describeWith(await headlessChromium(), "Chromium's EventSource", (executablePath) => {
  let browser: Browser

  beforeAll(async () => {
    browser = await launch(executablePath)
  })
  afterAll(() => browser.close())

  const open = async (url: string): Promise<Page> => {
    const context = await browser.newContext()
    onTestFinished(() => context.close())
    const page = await context.newPage()
    await page.goto(`${url}/`)
    return page
  }
  const follow = (page: Page, path: string) =>
    page.evaluate((path) => {
      const opened = new EventSource(path)
      const received: string[] = []
      Object.assign(globalThis, { source: opened, seen: received })
      for (const type of ['message', 'tidings:end', 'done']) {
        opened.addEventListener(type, ({ data }) => void received.push(`${type} ${data}`))
      }
    }, path)
  const shows = (page: Page, expected: string[]) => expect.poll(() => page.evaluate(() => seen)).toEqual(expected)
  const isClosed = (page: Page) => page.evaluate(() => source.readyState === EventSource.CLOSED)

  test('stops for good after an end: it reconnects once, and gets 204', async () => {
    const { url } = await serve()
    const requests: string[] = []
    const page = await open(url)
    page.on('request', (request) => void requests.push(request.url()))
    await follow(page, '/subscribe?topic=a')
    // The page has a stream of its own, so the number of subscribers does not show this one.
    await expect.poll(() => page.evaluate(() => source.readyState === EventSource.OPEN)).toBe(true)
    await post(`${url}/publish?topic=a&retry=50`, 'one')
    await post(`${url}/publish?topic=a&end&type=done`, 'two')
    await shows(page, ['message one', 'done two'])
    await expect.poll(() => isClosed(page)).toBe(true)
    const streams = requests.filter((one) => one.includes('/subscribe?topic=a'))
    expect(streams.length).toBe(2)
    // A closed EventSource stays closed, also when the topic is reopened.
    await post(`${url}/publish?topic=a`, 'three')
    await shows(page, ['message one', 'done two'])
  })

  test('fires tidings:end for an end without data', async () => {
    const { url } = await serve()
    await post(`${url}/publish?topic=a&retry=50`, 'one')
    await post(`${url}/publish?topic=a&end`, '')
    const page = await open(url)
    await follow(page, '/subscribe?topic=a&last=5')
    await shows(page, ['message one', 'tidings:end '])
    await expect.poll(() => isClosed(page)).toBe(true)
  })

  test('misses nothing between a page that was rendered and its subscription', async () => {
    const { url } = await serve()
    await post(`${url}/publish?topic=a`, 'rendered')
    const { headers } = await ask(`${url}/subscribe`, { method: 'HEAD' })
    const id = encodeURIComponent(headers['last-event-id'] as string)
    await post(`${url}/publish?topic=a`, 'between')
    const page = await open(url)
    await follow(page, `/subscribe?topic=a&last_event_id=${id}`)
    await post(`${url}/publish?topic=a`, 'after')
    await shows(page, ['message between', 'message after'])
  })
})
