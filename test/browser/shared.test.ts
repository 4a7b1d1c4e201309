// One connection for all tabs: four tabs of one origin in a real browser, whose leader is closed, suspended or crashes.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { publish } from '../../dist/client/index.js'
import {
  type FollowOptions,
  follow,
  is,
  openPage,
  openSite,
  send,
  server,
  shows,
  siteIn
} from '../support/client/pages.ts'
import { userBrowser } from '../support/client/user-browser.ts'
import { randomFrom, seed } from '../support/random.ts'
import { chromium, describeWith } from '../support/requirements.ts'
import { cuttableProxy } from '../support/servers/cuttable-proxy.ts'
import { launch, waiting } from '../support/servers/live-page.ts'

const connections = async (url: string) => (await fetch(`${url}/debug`)).text()
const one = 'Currently 1 subscription'

/** Publishes to another topic than `a`. */
const publishTo = (url: string, topics: string, data: unknown) => publish(`${url}/publish`, { topics, data })

/** Moves the page to the back/forward cache, where it is frozen. */
async function freeze(page: Page): Promise<void> {
  await page.goto(`${new URL(page.url()).origin}/other`)
}

/** Brings it back. Playwright sees no navigation, since the page is not loaded. */
async function thaw(page: Page): Promise<void> {
  await page.evaluate(() => history.back())
  await expect.poll(() => page.evaluate(() => window.got !== undefined).catch(() => false), waiting).toBe(true)
}

const role = (page: Page): Promise<string> => page.evaluate(() => window.subscription.sharing.role)

const endings: [string, (leader: Page) => Promise<unknown>][] = [
  ['is closed', (leader: Page) => leader.close()],
  ['navigates away', async (leader: Page) => void (await leader.goto('about:blank'))],
  [
    'crashes',
    async (leader: Page) => {
      const crashed = leader.waitForEvent('crash')
      const session = await leader.context().newCDPSession(leader)
      // The command is never answered, since its target is gone.
      void session.send('Page.crash').catch(() => {})
      await crashed
    }
  ]
]

describeWith(await chromium(), 'tabs that share a connection', (executablePath) => {
  let browser: Browser

  beforeAll(async () => {
    browser = await launch(executablePath)
  })
  afterAll(() => browser.close())

  /** Opens tabs that follow the topic `a`; the first one leads. */
  async function openTabs(hub: string, count = 4, options: FollowOptions = {}) {
    const site = await openSite(browser, hub)
    const tabs: Page[] = []
    for (let opened = 0; opened < count; opened++) {
      const tab = await site.open()
      await follow(tab, { shared: true, ...options })
      tabs.push(tab)
    }
    const [leader, ...followers] = tabs as [Page, ...Page[]]
    expect(await role(leader)).toBe('leader')
    for (const follower of followers) expect(await role(follower)).toBe('follower')
    return { ...site, leader, followers, tabs }
  }

  /** Waits until one of the tabs leads. */
  async function newLeader(tabs: readonly Page[]): Promise<Page> {
    let leader: Page | undefined
    await expect
      .poll(async () => {
        for (const tab of tabs) {
          const isLeader: boolean = (await role(tab)) === 'leader'
          if (isLeader) leader = tab
        }
        return leader !== undefined
      }, waiting)
      .toBe(true)
    return leader as Page
  }

  test('four tabs have one connection, and each receives everything once', async () => {
    const { url } = await server()
    const { tabs } = await openTabs(url)
    await expect.poll(() => connections(url)).toBe(one)
    await send(url, 1, 2, 3)
    for (const tab of tabs) await shows(tab, 1, 2, 3)
    await expect.poll(() => connections(url)).toBe(one)
  })

  describe.each(endings)('when the leader %s', (_, end) => {
    test('another tab leads, and nothing is lost or repeated', async () => {
      const { url } = await server()
      const { leader, followers } = await openTabs(url)
      await send(url, 1, 2)
      for (const follower of followers) await shows(follower, 1, 2)
      // Updates are published while the leader goes.
      const sending = (async () => {
        for (let data = 3; data <= 60; data++) await send(url, data)
      })()
      await end(leader)
      await sending
      await newLeader(followers)
      const all = Array.from({ length: 60 }, (_, index) => index + 1)
      for (const follower of followers) await shows(follower, ...all)
      for (const follower of followers) await is(follower, 'live')
      await send(url, 61)
      for (const follower of followers) await shows(follower, ...all, 61)
      await expect.poll(() => connections(url)).toBe(one)
    })
  })

  test('a leader that is frozen in the back/forward cache gives the lead away, and has everything when it continues', async () => {
    const { url } = await server()
    const { leader, followers, tabs } = await openTabs(url)
    await leader.evaluate(() => {
      for (const type of ['freeze', 'resume']) document.addEventListener(type, () => window.got.push(type))
    })
    await send(url, 1)
    for (const tab of tabs) await shows(tab, 1)
    await freeze(leader)
    await newLeader(followers)
    await send(url, 2, 3)
    for (const follower of followers) await shows(follower, 1, 2, 3)
    await thaw(leader)
    await shows(leader, 1, 'freeze', 'resume', 2, 3)
    await is(leader, 'live')
    expect(await role(leader)).toBe('follower')
    await send(url, 4)
    await shows(leader, 1, 'freeze', 'resume', 2, 3, 4)
    for (const follower of followers) await shows(follower, 1, 2, 3, 4)
    await expect.poll(() => connections(url)).toBe(one)
  })

  test('a hidden leader that the browser freezes gives the lead away', async () => {
    const { url } = await server()
    const site = await siteIn(await userBrowser(executablePath), url)
    const leader = await site.open()
    await follow(leader, { shared: true })
    const follower = await site.open()
    await follow(follower, { shared: true })
    const devtools = await site.context.newCDPSession(leader)
    await devtools.send('Page.setWebLifecycleState', { state: 'frozen' })
    await newLeader([follower])
    await send(url, 1, 2)
    await shows(follower, 1, 2)
    await devtools.send('Page.setWebLifecycleState', { state: 'active' })
    await shows(leader, 1, 2)
    expect(await role(leader)).toBe('follower')
    await expect.poll(() => connections(url)).toBe(one)
  })

  test('with pauseWhenHidden, only visible tabs keep the connection open', async () => {
    const { url } = await server()
    const site = await siteIn(await userBrowser(executablePath), url)
    const options = { shared: true, pauseWhenHidden: true }
    const first = await site.open()
    await follow(first, options)
    const second = await site.open()
    await follow(second, options)
    await newLeader([second])
    expect(await first.evaluate(() => window.subscription.state)).toMatchObject({ reason: 'the page is hidden' })
    await send(url, 1, 2)
    await shows(second, 1, 2)
    await first.bringToFront()
    await shows(first, 1, 2)
    await newLeader([first])
    await expect.poll(() => connections(url)).toBe(one)
  })

  test(`tabs come and go at random, and miss and repeat nothing (seed ${seed})`, async () => {
    const { url } = await server()
    const site = await openSite(browser, url)
    const random = randomFrom(seed)
    const [from] = await send(url, 'first')
    const open = async () => {
      const tab = await site.open()
      await follow(tab, { shared: true, from: from as string })
      return tab
    }
    const tabs = [await open(), await open(), await open()]
    let published = 0
    for (let step = 0; step < 40; step++) {
      const index = random.between(0, tabs.length - 1)
      const tab = tabs[index] as Page
      if (tabs.length > 1 && random.chance(0.2)) {
        tabs.splice(index, 1)
        await tab.close()
      } else if (tabs.length < 5 && random.chance(0.2)) tabs.push(await open())
      else if (random.chance(0.2)) {
        await freeze(tab)
        await send(url, ++published)
        await thaw(tab)
      } else await send(url, ++published)
    }
    const all = Array.from({ length: published }, (_, index) => index + 1)
    for (const tab of tabs) await shows(tab, ...all)
    for (const tab of tabs) await is(tab, 'live')
    await expect.poll(() => connections(url)).toBe(one)
  })

  test('topics are added to the shared stream and removed from it, without a reconnect', async () => {
    const { url } = await server()
    const { leader, followers } = await openTabs(url, 2)
    const [follower] = followers as [Page]
    const states = await leader.evaluate(() => window.states.length)
    await follower.evaluate(() => window.subscription.add('b/{id}'))
    await publishTo(url, 'b/1', 'b')
    await shows(follower, 'b')
    await follower.evaluate(() => window.subscription.remove('a'))
    await send(url, 1)
    await shows(leader, 1)
    await publishTo(url, 'b/2', 'again')
    await shows(follower, 'b', 'again')
    await publishTo(url, 'c', 'old')
    await follower.evaluate(() => window.subscription.add('c', { from: 'earliest' }))
    await shows(follower, 'b', 'again', 'old')
    expect(await leader.evaluate(() => window.states.length)).toBe(states)
    await expect.poll(() => connections(url)).toBe(one)
  })

  test('a cut of the shared connection costs no tab an update', async () => {
    const { url, port } = await server()
    const proxy = await cuttableProxy(port)
    onTestFinished(() => proxy.close())
    const { tabs } = await openTabs(proxy.url)
    await send(url, 1)
    for (const tab of tabs) await shows(tab, 1)
    proxy.cut()
    for (const tab of tabs) await is(tab, 'waiting')
    await send(url, 2, 3)
    proxy.mend()
    for (const tab of tabs) await shows(tab, 1, 2, 3)
  })

  test('without Web Locks, each tab has one connection, and says why', async () => {
    const { url } = await server()
    const site = await openSite(browser, url)
    await site.context.addInitScript(() => Object.defineProperty(navigator, 'locks', { value: undefined }))
    const tabs = [await site.open(), await site.open()]
    for (const tab of tabs) await follow(tab, { shared: true })
    for (const tab of tabs) {
      expect(await tab.evaluate(() => window.subscription.sharing)).toEqual({
        role: 'alone',
        reason: 'there are no Web Locks here: browsers have them on https and localhost'
      })
      await tab.evaluate(() =>
        window.tidings.subscribe(`${window.hub()}/subscribe`, { topics: 'b', shared: true }).on('update', () => {})
      )
    }
    await expect.poll(() => connections(url), waiting).toBe('Currently 2 subscriptions')
    await send(url, 1)
    for (const tab of tabs) await shows(tab, 1)
  })

  test('a tab whose topics the hub refuses continues alone, with its own token', async () => {
    const { url } = await server()
    const { page } = await openPage(browser, url)
    await follow(page, { shared: true })
    const error = await page.evaluate(async () => {
      const refused = window.tidings.subscribe(`${window.hub()}/subscribe`, { topics: 'x'.repeat(5_000), shared: true })
      const state = await new Promise<{ error?: { name: string; status: number } }>((resolve) => {
        refused.on('state', (state) => state.status === 'closed' && resolve(state as never))
        refused.on('update', () => {})
      })
      return { name: state.error?.name, status: state.error?.status, role: refused.sharing.role }
    })
    expect(error).toEqual({ name: 'RefusedError', status: 400, role: 'alone' })
    await send(url, 1)
    await shows(page, 1)
    await expect.poll(() => connections(url)).toBe(one)
  })
})
