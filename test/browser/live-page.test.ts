// The live page in a real browser with a real server.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import { publish } from '../support/http/publish.ts'
import { curl, describeWith, headlessChromium } from '../support/requirements.ts'
import { type CuttableProxy, cuttableProxy } from '../support/servers/cuttable-proxy.ts'
import { freePort } from '../support/servers/free-port.ts'
import { type LocalServer, startInProcess } from '../support/servers/in-process.ts'
import { launch, openLivePage, waiting } from '../support/servers/live-page.ts'
import { startServer } from '../support/servers/server.ts'

const foundCurl = await curl()

describeWith(await headlessChromium(), 'the live page', (executablePath) => {
  let browser: Browser
  let server: LocalServer
  let proxy: CuttableProxy | undefined

  beforeAll(async () => {
    browser = await launch(executablePath)
  })
  afterAll(() => browser.close())
  beforeEach(async () => {
    server = await startInProcess()
  })
  afterEach(async () => {
    await proxy?.close()
    proxy = undefined
    await server.stop()
  })

  test('two pages show what one of them and curl publish, in order', async () => {
    const one = await openLivePage(browser, server.url)
    const other = await openLivePage(browser, server.url)
    await one.publish('from a page')
    await other.shows('from a page')
    await publish(server.url, 'from a terminal')
    await one.shows('from a page', 'from a terminal')
    await other.shows('from a page', 'from a terminal')
    await expect.poll(() => one.page.locator('#count').textContent(), waiting).toBe('2 subscriptions')
  })

  test('a page that opens later starts with the newest twenty events', async () => {
    const all = Array.from({ length: 25 }, (_, index) => `event ${index}`)
    for (const data of all) await publish(server.url, data)
    const live = await openLivePage(browser, server.url)
    await live.shows(...all.slice(-20))
  })

  test('a page shows that its topic has ended, and continues when the topic is reopened', async () => {
    const live = await openLivePage(browser, `${server.url}/?topic=a`)
    await live.publish('one', { topic: 'a' })
    await live.shows('one')
    await fetch(`${server.url}/publish?topic=a&end`, { method: 'POST', body: 'two' })
    await live.shows('one', 'two')
    await live.is('Ended')
    await live.publish('three', { topic: 'a' })
    await live.shows('one', 'two', 'three')
    await live.is('Live')
    expect(live.complaints).toEqual([])
  })

  test('a page shows updates published during a disconnect, once', async () => {
    const proxy = await openProxy()
    const live = await openLivePage(browser, proxy.url)
    await publish(server.url, 'before')
    await live.shows('before')
    proxy.cut()
    await live.is('Reconnecting…')
    for (const data of ['meanwhile 1', 'meanwhile 2']) await publish(server.url, data)
    proxy.mend()
    await live.is('Live')
    await publish(server.url, 'after')
    await live.shows('before', 'meanwhile 1', 'meanwhile 2', 'after')
  })

  test('a page that had no events before the disconnect loses nothing either', async () => {
    const proxy = await openProxy()
    const live = await openLivePage(browser, proxy.url)
    proxy.cut()
    await live.is('Reconnecting…')
    for (const data of ['meanwhile 1', 'meanwhile 2']) await publish(server.url, data)
    proxy.mend()
    // As when a phone regains its network: the page does not wait for the browser.
    await live.page.evaluate(() => dispatchEvent(new Event('online')))
    await live.is('Live')
    await publish(server.url, 'after')
    await live.shows('meanwhile 1', 'meanwhile 2', 'after')
  })

  test('a page reconnects and resumes by itself when its browser gave up', async () => {
    const proxy = await openProxy()
    const live = await openLivePage(browser, proxy.url)
    await publish(server.url, 'before')
    await live.shows('before')
    const sentence = 'The hub is shutting down.'
    await live.page.route('**/subscribe?**', (route) =>
      route.fulfill({ status: 503, contentType: 'text/plain', body: sentence })
    )
    proxy.cut()
    proxy.mend()
    await expect.poll(() => live.page.locator('#follow-said').textContent(), waiting).toBe(sentence)
    await publish(server.url, 'meanwhile')
    await live.page.unrouteAll()
    await live.is('Live')
    await publish(server.url, 'after')
    await live.shows('before', 'meanwhile', 'after')
    expect(await live.page.locator('#follow-said').textContent()).toBe('')
  })

  test('a page shows a gap when the server lost its log, and continues', async () => {
    const first = await startServer({ port: await freePort() })
    onTestFinished(() => first.kill('SIGKILL'))
    const live = await openLivePage(browser, first.url)
    await publish(first.url, 'before')
    await live.shows('before')
    await first.kill('SIGKILL')
    await live.is('Reconnecting…')
    const second = await startInProcess({ port: first.port })
    onTestFinished(() => second.stop())
    await publish(second.url, 'after')
    await live.shows('before', 'gap', 'after')
    expect(await live.page.locator('.gap').textContent()).toContain('the log has started over')
  })

  test('shows markup as text, runs no script, and causes no browser error', async () => {
    const markup = '<img src=x onerror="window.ran = true"><script>window.ran = true</script>'
    const live = await openLivePage(browser, server.url)
    await live.publish(markup, { topic: markup, type: '<b>bold</b>' })
    // The request of the page is not awaited, and another one could arrive first.
    await live.shows(markup)
    await publish(server.url, 'next')
    await live.shows(markup, 'next')
    expect(await live.page.locator('.topics').last().textContent()).toBe(markup)
    expect(await live.page.locator('#events img, #events script, #events b').count()).toBe(0)
    expect(await live.page.evaluate(() => 'ran' in window)).toBe(false)
    expect(live.complaints).toEqual([])
  })

  test('shows events of any type with topics, type, id and time', async () => {
    const live = await openLivePage(browser, server.url)
    await publish(server.url, 'two\nlines', { topic: 'orders/17', type: 'paid', id: 'payment-1' })
    await live.shows('two\nlines')
    const event = live.page.locator('#events > li')
    for (const text of ['orders/17', 'paid', 'payment-1']) await event.getByText(text, { exact: true }).waitFor()
    expect(await event.locator('time').textContent()).toMatch(/^\d\d:\d\d:\d\d\.\d{3}$/)
  })

  test('a page that follows a topic shows only that topic', async () => {
    const live = await openLivePage(browser, `${server.url}/?topic=a`)
    for (const topic of ['a', 'b', 'a/b']) await publish(server.url, `on ${topic}`, { topic })
    await publish(server.url, 'on both', { topic: 'a' })
    await live.shows('on a', 'on both')
  })

  test('the user can select other topics, which appear in the address', async () => {
    for (const topic of ['a', 'b', 'c/1', 'd']) await publish(server.url, `on ${topic}`, { topic })
    const live = await openLivePage(browser, `${server.url}/?topic=a`)
    await live.shows('on a')
    await live.page.getByLabel('Follow topics').fill('b, c/{id}\n d')
    await live.page.getByRole('button', { name: 'Follow', exact: true }).click()
    await live.shows('on b', 'on c/1', 'on d')
    expect(live.page.url()).toBe(`${server.url}/?topic=b&topic=c/%7Bid%7D&topic=d`)
    await live.page.reload()
    await live.shows('on b', 'on c/1', 'on d')
  })

  test("a rejected publish shows the server's error, and keeps the text", async () => {
    const live = await openLivePage(browser, server.url)
    await live.publish('worth keeping', { type: 'tidings:mine' })
    const status = live.page.locator('#publish-said')
    await expect
      .poll(() => status.textContent(), waiting)
      .toContain('types that begin with "tidings:" are reserved for the hub.')
    expect(await live.page.getByLabel('Data').inputValue()).toBe('worth keeping')
    await live.publish('worth keeping')
    await live.shows('worth keeping')
    await expect.poll(() => live.page.getByLabel('Data').inputValue(), waiting).toBe('')
  })

  test('Shift+Enter starts a new line, Enter sends', async () => {
    const live = await openLivePage(browser, server.url)
    const data = live.page.getByLabel('Data')
    await data.pressSequentially('first')
    await data.press('Shift+Enter')
    await data.pressSequentially('second')
    await data.press('Enter')
    await live.shows('first\nsecond')
  })

  test('a paused page queues events, and shows all of them when it resumes', async () => {
    const live = await openLivePage(browser, server.url)
    await live.page.getByRole('button', { name: 'Pause' }).click()
    for (const data of ['one', 'two']) await publish(server.url, data)
    const resume = live.page.getByRole('button', { name: 'Resume (2 new)' })
    await resume.waitFor()
    expect(await live.shown()).toEqual([])
    await resume.click()
    await live.shows('one', 'two')
    await live.page.getByRole('button', { name: 'Clear' }).click()
    await live.shows()
  })

  test('keeps the newest 500 events', async () => {
    const live = await openLivePage(browser, server.url)
    const all = Array.from({ length: 510 }, (_, index) => `event ${index}`)
    const batch = all.map((data) => JSON.stringify({ topics: ['many'], data })).join('\n')
    const headers = { 'Content-Type': 'application/x-ndjson' }
    await fetch(`${server.url}/publish`, { method: 'POST', headers, body: batch })
    await live.shows(...all.slice(-500))
  })

  describeWith(foundCurl, 'from a terminal', () => {
    test('the displayed publish command, run by a shell, publishes exactly the form content', async () => {
      const live = await openLivePage(browser, server.url)
      const data = `@it's $HOME \`id\` "quoted" \\ !\nname=value & more`
      await live.page.getByLabel('Topic', { exact: true }).fill("o'clock/{a,b} [1]")
      await live.page.getByLabel('Data').fill(data)
      const command = await live.page.locator('#curl-publish').textContent()
      await promisify(execFile)('sh', ['-c', `${command} --silent --fail`])
      await live.shows(data)
      expect(await live.page.locator('.topics').textContent()).toBe("o'clock/{a,b} [1]")
    })
  })

  test('all controls are reachable by keyboard, in reading order', async () => {
    const { page } = await openLivePage(browser, server.url)
    const reached: string[] = []
    for (let stop = 0; stop < 13; stop++) {
      await page.keyboard.press('Tab')
      reached.push(await page.evaluate(() => document.activeElement?.id || document.activeElement?.textContent || ''))
    }
    const side = ['topics', 'Follow', 'topic', 'type', 'data', 'Publish', 'Tokens', 'From a terminal']
    const copies = ['Copy the command that follows', 'Copy the command that publishes']
    expect(reached).toEqual(['Skip to the events', ...side, ...copies, 'pause', 'clear'])
  })

  test('a window of 320 pixels needs no horizontal scrolling', async () => {
    const live = await openLivePage(browser, `${server.url}/?topic=${'long'.repeat(50)}`, 320)
    await publish(server.url, 'w'.repeat(500), { topic: 'long'.repeat(50), type: 't'.repeat(100), id: 'i'.repeat(100) })
    await live.shows('w'.repeat(500))
    for (const summary of await live.page.locator('summary').all()) await summary.click()
    expect(await live.page.evaluate(() => document.scrollingElement?.scrollWidth)).toBeLessThanOrEqual(320)
  })

  async function openProxy(): Promise<CuttableProxy> {
    proxy = await cuttableProxy(server.port)
    return proxy
  }
})
