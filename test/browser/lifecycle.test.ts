// The client in pages that a browser hides, freezes, or keeps in its back/forward cache.
import { expect, it } from 'vitest'
import { follow, is, send, server, shows, siteIn } from '../support/client/pages.ts'
import { userBrowser } from '../support/client/user-browser.ts'
import { chromium, describeWith } from '../support/requirements.ts'
import { waiting } from '../support/servers/live-page.ts'

declare global {
  interface Window {
    /** The events of the page's life. */
    life: string[]
  }
}

describeWith(await chromium(), 'the client in a page', (executablePath) => {
  async function opened(options: Parameters<typeof follow>[1] = {}) {
    const { url } = await server()
    const site = await siteIn(await userBrowser(executablePath), url)
    const page = await site.open()
    await follow(page, options)
    await page.evaluate(() => {
      window.life = []
      for (const type of ['freeze', 'resume', 'visibilitychange'])
        document.addEventListener(type, () => window.life.push(type))
      addEventListener('pageshow', ({ persisted }) => window.life.push(persisted ? 'restored' : 'shown'))
    })
    await send(url, 1)
    await shows(page, 1)
    return { url, site, page }
  }

  it('that returns from the back/forward cache has a new stream at once, without loss', async () => {
    const { url, site, page } = await opened()
    await page.goto(`${site.url}/other`)
    await send(url, 2, 3)
    // `page.goBack` waits for a load event, which a restored page does not have.
    await page.evaluate(() => history.back())
    await page.waitForURL((address) => address.search.includes('hub='), { waitUntil: 'commit' })
    await shows(page, 1, 2, 3)
    expect(await page.evaluate(() => window.life)).toContain('restored')
    await is(page, 'live')
    await send(url, 4)
    await shows(page, 1, 2, 3, 4)
    const statuses = await page.evaluate(() => window.states.map(({ status }) => status))
    expect(statuses.filter((status) => status === 'connecting').length).toBeGreaterThan(1)
    expect(statuses).not.toContain('waiting')
  })

  it('that is frozen has everything after it is resumed', async () => {
    const { url, page } = await opened()
    const devtools = await page.context().newCDPSession(page)
    await devtools.send('Page.setWebLifecycleState', { state: 'frozen' })
    await expect.poll(() => page.evaluate(() => window.life), waiting).toContain('freeze')
    await send(url, 2, 3)
    // The debugger still works in a frozen page: it shows that the updates have not arrived.
    expect(await page.evaluate(() => window.got)).toEqual([1])
    await devtools.send('Page.setWebLifecycleState', { state: 'active' })
    await shows(page, 1, 2, 3)
    expect(await page.evaluate(() => window.life)).toContain('resume')
    await is(page, 'live')
  })

  it('in a tab that is really hidden pauses with the option, and goes on without it', async () => {
    const { url, site, page } = await opened({ pauseWhenHidden: true })
    const other = await site.open()
    await follow(other)
    await other.bringToFront()
    await is(page, 'waiting')
    expect(await page.evaluate(() => document.hidden)).toBe(true)
    await send(url, 2)
    await shows(other, 2)
    expect(await page.evaluate(() => window.got)).toEqual([1])
    await page.bringToFront()
    await shows(page, 1, 2)
    await expect.poll(() => other.evaluate(() => document.hidden), waiting).toBe(true)
    await send(url, 3)
    await shows(other, 2, 3)
    await shows(page, 1, 2, 3)
  })
})
