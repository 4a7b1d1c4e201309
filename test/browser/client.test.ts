// The client in a real browser: offline and online, hidden tabs, reloads, and a server that crashes.
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { follow, hide, is, openPage, send, server, shows } from '../support/client/pages.ts'
import { describeWith, headlessChromium } from '../support/requirements.ts'
import { freePort } from '../support/servers/free-port.ts'
import { launch, waiting } from '../support/servers/live-page.ts'
import { startServer } from '../support/servers/server.ts'

describeWith(await headlessChromium(), 'the client in a browser', (executablePath) => {
  let browser: Browser

  beforeAll(async () => {
    browser = await launch(executablePath)
  })
  afterAll(() => browser.close())

  test('reacts to offline and online at once, without loss', async () => {
    const { url } = await server()
    const { page, context } = await openPage(browser, url)
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
    const { page } = await openPage(browser, url)
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
    const { page } = await openPage(browser, url)
    await follow(page, { isStored: true })
    await send(url, 1)
    await shows(page, 1)
    await page.reload()
    await send(url, 2)
    await follow(page, { isStored: true })
    await shows(page, 2)
  })

  test('TidingsSource resumes after a crash of the server', async () => {
    const { url, port, kill } = await startServer({ port: await freePort(), args: ['--cors-origins', '*'] })
    onTestFinished(() => kill())
    const { page } = await openPage(browser, url)
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
