// What the client in a real browser does after each status that docs/client.md names, and behind a proxy that buffers.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bufferingProxy } from '../support/client/buffering-proxy.ts'
import { hide, is, openPage, send, server, shows, subscribeIn } from '../support/client/pages.ts'
import { crossOriginServer, opening, type Step, stream, update } from '../support/client/scripted-server.ts'
import { describeWith, headlessChromium } from '../support/requirements.ts'
import { launch } from '../support/servers/live-page.ts'

/** The states of the page's subscription, with the members of an error that a transfer from the page would lose. */
const statesOf = (page: Page) =>
  page.evaluate(() =>
    window.states.map((state) => {
      const error = 'error' in state ? state.error : undefined
      if (!error) return state
      const { name, message } = error
      return { ...state, error: { name, message, ...(error instanceof window.tidings.RefusedError && { ...error }) } }
    })
  )

const refuse =
  (status: number, headers: Record<string, string> = {}): Step =>
  (response) =>
    response.writeHead(status, headers).end(JSON.stringify({ error: { code: 'a_code', message: 'a reason' } }))

describeWith(await headlessChromium(), 'the client in a browser, after', (executablePath) => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launch(executablePath)
  })
  afterAll(() => browser.close())

  /** Subscribes in a new page to a server that answers each stream as the next step says, and then as the last one does. */
  async function subscribeTo(...steps: Step[]) {
    const hub = await crossOriginServer((response, request, count) => {
      steps[Math.min(count, steps.length - 1)]?.(response, request, count)
    })
    const { page } = await openPage(browser, hub.url)
    await subscribeIn(page)
    return { hub, page }
  }

  const live: Step = (response) => stream(response, opening('#e-1') + update('#e-2', '"hello"'))

  it('204 is closed as ended', async () => {
    const { hub, page } = await subscribeTo((response) => response.writeHead(204).end())
    await is(page, 'closed')
    expect(await statesOf(page)).toEqual([{ status: 'connecting' }, { status: 'closed', reason: 'ended' }])
    expect(hub.requests.length).toBe(1)
  })

  it.each([401, 403, 404, 410])('%i makes one more attempt with a fresh token, and is closed then', async (status) => {
    const hub = await crossOriginServer(refuse(status))
    const { page } = await openPage(browser, hub.url)
    await page.evaluate(() => {
      let calls = 0
      window.states = []
      window.subscription = window.tidings.subscribe(`${window.hub()}/subscribe`, { token: () => `token-${++calls}` })
      window.subscription.on('state', (state) => window.states.push(state))
      window.subscription.on('update', () => {})
    })
    await is(page, 'closed')
    const error = { name: 'RefusedError', status, code: 'a_code', message: 'a reason' }
    expect((await statesOf(page)).at(-1)).toEqual({ status: 'closed', reason: 'refused', error })
    expect(hub.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer token-1', 'Bearer token-2'])
  })

  it.each([408, 429, 500, 502, 503])('%i waits, and is live again', async (status) => {
    const { page } = await subscribeTo(refuse(status), live)
    await shows(page, 'hello')
    const error = { name: 'RefusedError', status, code: 'a_code', message: 'a reason' }
    expect(await statesOf(page)).toEqual([
      { status: 'connecting' },
      { status: 'waiting', until: expect.any(Number), reason: 'a reason', error },
      { status: 'connecting' },
      { status: 'live', via: 'stream' }
    ])
  })

  it('Retry-After is not asked again earlier because the tab is shown', async () => {
    const { hub, page } = await subscribeTo(refuse(503, { 'Retry-After': '60' }))
    await is(page, 'waiting')
    for (let shown = 0; shown < 4; shown++) {
      await hide(page, true)
      await hide(page, false)
    }
    await is(page, 'waiting')
    expect(await page.evaluate(() => window.states.length)).toBe(2)
    expect(hub.requests.length).toBe(1)
  })

  it('Retry-After waits at least as long, and says until when', async () => {
    const times: number[] = []
    const at =
      (step: Step): Step =>
      (...all) => {
        times.push(Date.now())
        step(...all)
      }
    const { page } = await subscribeTo(at(refuse(503, { 'Retry-After': '2' })), at(live))
    await shows(page, 'hello')
    const [first = 0, second = 0] = times
    const until = (await statesOf(page)).find((state) => state.status === 'waiting')?.until
    expect(until).toBeGreaterThanOrEqual(first + 2_000)
    // A second of jitter at most, and the time that the answer takes.
    expect(until).toBeLessThan(first + 4_000)
    // A timer may fire a millisecond early.
    expect(second).toBeGreaterThanOrEqual((until as number) - 5)
  })

  const html: Step = (response) => response.writeHead(200, { 'Content-Type': 'text/html' }).end('<h1>Sign in</h1>')

  it('200 with a page instead of the first stream is closed as refused', async () => {
    const { hub, page } = await subscribeTo(html)
    await is(page, 'closed')
    expect((await statesOf(page)).at(-1)).toMatchObject({
      reason: 'refused',
      error: { name: 'RefusedError', status: 200, code: 'not_a_stream' }
    })
    expect(hub.requests.length).toBe(1)
  })

  it('200 with a page instead of a later stream waits, and is live again', async () => {
    const ending: Step = (response) => {
      stream(response, opening('#e-1'))
      response.end()
    }
    const { hub, page } = await subscribeTo(ending, html, live)
    await shows(page, 'hello')
    const reasons = (await statesOf(page)).map((state) => (state.status === 'waiting' ? state.reason : state.status))
    expect(reasons).toContain('the server answered with text/html instead of text/event-stream')
    expect(hub.requests.length).toBe(3)
  })

  describe('nothing of a stream has arrived because a proxy buffers it,', () => {
    it('it polls', async () => {
      const { url } = await server()
      const proxy = await bufferingProxy(url)
      const { page } = await openPage(browser, proxy.url)
      await subscribeIn(page, { openTimeout: 500 })
      await is(page, 'live')
      expect((await statesOf(page)).at(-1)).toEqual({ status: 'live', via: 'polling' })
      await send(url, 1, 2)
      await shows(page, 1, 2)
      await send(url, 3)
      await shows(page, 1, 2, 3)
      const paths = proxy.requests.map(({ url }) => url?.split('?')[0])
      expect(paths.slice(0, 2)).toEqual(['/subscribe', '/updates'])
      expect(new Set(paths.slice(1))).toEqual(new Set(['/updates']))
    })
  })
})
