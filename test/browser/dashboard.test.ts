// The operators' dashboard in a real browser with a real server.
import { connect, type Socket } from 'node:net'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { legacy, secret, sign } from '../support/auth/tokens.ts'
import {
  accessibilityIssues,
  type DashboardOptions,
  type DashboardPage,
  isLive,
  openDashboard,
  viewNames
} from '../support/dashboard/page.ts'
import { ask } from '../support/http/http.ts'
import { keepPublishing, publish } from '../support/http/publish.ts'
import { listen } from '../support/http/sse-client.ts'
import { describeWith, headlessChromium } from '../support/requirements.ts'
import { cuttableProxy } from '../support/servers/cuttable-proxy.ts'
import { startInProcess } from '../support/servers/in-process.ts'
import { launch, waiting } from '../support/servers/live-page.ts'
import { startServer } from '../support/servers/server.ts'

const keyed = ['--publisher-key', secret, '--subscriber-key', secret]
const operatorGrants = { publish: ['*'], subscribe: ['*'], 'tidings:operate': true }

describeWith(await headlessChromium(), 'the dashboard', (executablePath) => {
  let browser: Browser

  beforeAll(async () => {
    browser = await launch(executablePath)
  })
  afterAll(() => browser.close())

  async function serve(...args: string[]): Promise<string> {
    const server = await startInProcess({ args })
    onTestFinished(() => server.stop())
    return server.url
  }

  /** Also verifies, when the test ends, that the browser had nothing to complain about. */
  async function open(url: string, options?: DashboardOptions): Promise<DashboardPage> {
    const opened = await openDashboard(browser, url, options)
    onTestFinished(async () => {
      expect(opened.complaints).toEqual([])
      expect(await opened.page.evaluate(() => window.violations)).toEqual([])
    })
    return opened
  }

  const topicRow = ({ page }: DashboardPage, topic: string) => page.locator('.body [role=row]', { hasText: topic })

  /** Opens the details of the only stream with a topic. */
  async function openStream(dashboard: DashboardPage, topic: string): Promise<void> {
    await dashboard.show('Streams')
    await topicRow(dashboard, topic).click()
    await dashboard.page.getByRole('heading', { name: 'Flight recorder' }).waitFor()
  }

  const kinds = ({ page }: DashboardPage) => page.locator('.recorder b').allTextContents()

  describe('the overview', () => {
    test('shows the samples of the server as values and charts, which change under load', async () => {
      const url = await serve()
      await listen(`${url}/subscribe?topic=a`)
      const dashboard = await open(url)
      await isLive(dashboard)
      await expect.poll(() => dashboard.value('Subscribers'), waiting).toBe('1')
      const canvas = dashboard.page.locator('[data-metric=Publishes] canvas')
      const picture = () => canvas.evaluate((element) => (element as HTMLCanvasElement).toDataURL())
      const before = await picture()
      keepPublishing(url, 'x', { topic: 'a' }, 20)
      await expect.poll(async () => Number.parseFloat(await dashboard.value('Publishes')), waiting).toBeGreaterThan(1)
      await expect.poll(async () => Number.parseFloat(await dashboard.value('Deliveries')), waiting).toBeGreaterThan(1)
      await expect.poll(() => dashboard.value('Publish to write'), waiting).toMatch(/^[\d.]+ ms$/)
      expect(await picture()).not.toBe(before)
      await expect
        .poll(() => dashboard.page.locator('.facts').textContent(), waiting)
        .toMatch(/Entries\d+Oldest entry\d+ s agoNewest offset\d+/)
    })

    test('has a row for each node, which leads to its charts', async () => {
      const dashboard = await open(await serve())
      const row = dashboard.page.locator('tbody tr')
      await row.getByRole('link').click()
      await expect.poll(() => row.getAttribute('data-chosen'), waiting).toBe('true')
      expect(dashboard.page.url()).toMatch(/#\/overview\/.+/)
      await dashboard.page.goBack()
      await expect.poll(() => row.getAttribute('data-chosen'), waiting).toBe('false')
    })

    test('has worker processes as nodes', async () => {
      const server = await startServer({ args: ['--workers', '2'] })
      onTestFinished(() => server.kill())
      const dashboard = await open(server.url)
      const names = () => dashboard.page.locator('tbody th').allTextContents()
      await expect.poll(names, waiting).toEqual(['worker 1', 'worker 2'])
      await dashboard.page.getByLabel('Charts of').selectOption('worker 2')
      const chosen = dashboard.page.locator('tr[data-chosen=true]')
      await expect.poll(() => chosen.locator('th').textContent(), waiting).toBe('worker 2')
      await expect.poll(() => dashboard.value('Memory'), waiting).toMatch(/^\d+(\.\d+)? MB$/)
    })

    test('says that the connection is lost, and recovers', async () => {
      const server = await startInProcess()
      onTestFinished(() => server.stop())
      const proxy = await cuttableProxy(server.port)
      onTestFinished(() => proxy.close())
      const dashboard = await openDashboard(browser, proxy.url)
      await isLive(dashboard)
      proxy.cut()
      await dashboard.page.getByText('The connection to the server is lost').waitFor()
      proxy.mend()
      // It may connect before the click, and then the button is gone.
      await Promise.race([dashboard.page.getByRole('button', { name: 'Connect now' }).click(), isLive(dashboard)])
      await isLive(dashboard)
      expect(await dashboard.page.getByText('The connection to the server is lost').count()).toBe(0)
    })
  })

  describe('the streams', () => {
    test('are filtered and sorted by the server', async () => {
      const url = await serve()
      for (const topic of ['apples', 'pears', 'plums']) await listen(`${url}/subscribe?topic=${topic}`)
      const dashboard = await open(url, { hash: '#/streams?sort=topics' })
      const { page } = dashboard
      const topics = async () => (await dashboard.rows()).map((row) => row.split('\t')[3])
      await expect.poll(topics, waiting).toEqual(['apples', 'pears', 'plums'])
      const header = page.getByRole('columnheader', { name: 'Topics' })
      expect(await header.getAttribute('aria-sort')).toBe('ascending')
      await header.getByRole('button').click()
      await expect.poll(topics, waiting).toEqual(['plums', 'pears', 'apples'])
      expect(await header.getAttribute('aria-sort')).toBe('descending')
      await dashboard.filter('p')
      await dashboard.filter('pl')
      const filtered = async () => ({
        filter: await page.locator('[data-filter]').inputValue(),
        link: new URLSearchParams(page.url().split('?')[1]).get('filter'),
        topics: await topics()
      })
      await expect.poll(filtered, waiting).toEqual({ filter: 'pl', link: 'pl', topics: ['plums', 'apples'] })
      await page.getByText('2 of 3 open streams.').waitFor()
      await page.reload()
      await expect.poll(topics, waiting).toEqual(['plums', 'apples'])
    })

    test('a closed stream keeps its flight recorder', async () => {
      const url = await serve()
      const client = await listen(`${url}/subscribe?topic=mine`)
      const dashboard = await open(url)
      await openStream(dashboard, 'mine')
      const { page } = dashboard
      await page.getByRole('button', { name: 'Close stream…' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Close stream' }).click()
      await client.until(({ ended }) => ended)
      await expect.poll(() => kinds(dashboard), waiting).toEqual(['connected', 'position', 'live', 'closed'])
      await page.getByText(/closed at .*, reason operator/).waitFor()
      expect(await page.getByRole('button', { name: 'Close stream…' }).count()).toBe(0)
      await page.getByLabel('Show').selectOption('recently closed')
      await expect.poll(async () => (await dashboard.rows()).join(), waiting).toMatch(/^operator\t.*\tmine\t/)
    })

    test('a cancelled dialog changes nothing', async () => {
      const url = await serve()
      const client = await listen(`${url}/subscribe?topic=mine`)
      const dashboard = await open(url)
      await openStream(dashboard, 'mine')
      await dashboard.page.getByRole('button', { name: 'Close stream…' }).click()
      await dashboard.page.keyboard.press('Escape')
      await dashboard.page.getByRole('dialog').waitFor({ state: 'detached' })
      // Escape has closed the dialog only.
      await dashboard.page.getByRole('heading', { name: 'Flight recorder' }).waitFor()
      expect(client.ended).toBe(false)
    })

    test('Escape that follows a click before the next frame belongs to its dialog', async () => {
      const url = await serve()
      await listen(`${url}/subscribe?topic=mine`)
      const dashboard = await open(url)
      await openStream(dashboard, 'mine')
      const { page } = dashboard
      const isOpen = await page.getByRole('button', { name: 'Close stream…' }).evaluate(async (button: HTMLElement) => {
        button.click()
        // The page renders in a microtask.
        while (!document.querySelector('dialog')) await Promise.resolve()
        dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape' }))
        return document.querySelector('dialog')?.open
      })
      expect(isOpen).toBe(true)
      await page.keyboard.press('Escape')
      await page.getByRole('dialog').waitFor({ state: 'detached' })
      expect(await page.getByRole('heading', { name: 'Flight recorder' }).count()).toBe(1)
    })

    test('the token of a stream is revoked', async () => {
      const url = await serve(...keyed)
      const tokenOf = (sub: string) => sign({ sub, mercure: { subscribe: ['*'] } })
      const ann = { Authorization: `Bearer ${await tokenOf('ann')}` }
      const stream = await listen(`${url}/subscribe?topic=ours`, ann)
      const other = await listen(`${url}/subscribe?topic=other`, { Authorization: `Bearer ${await tokenOf('ben')}` })
      const dashboard = await open(url, { token: await legacy(operatorGrants) })
      await openStream(dashboard, 'ours')
      await dashboard.page.getByRole('button', { name: 'Revoke token…' }).click()
      await dashboard.page.getByRole('dialog').getByRole('button', { name: 'Revoke token' }).click()
      await stream.until(({ ended }) => ended)
      await dashboard.page.getByText('The tokens of ann are revoked.').waitFor()
      expect((await ask(`${url}/subscribe?topic=ours`, { headers: ann })).status).toBe(401)
      expect(other.ended).toBe(false)
    })

    test('the flight recorder explains a gap', async () => {
      const url = await serve('--retention', '[{"match":"*","last":1}]')
      for (const data of ['1', '2', '3']) await publish(url, data, { topic: 'mine', id: `id-${data}` })
      await listen(`${url}/subscribe?topic=mine`, { 'Last-Event-ID': 'id-1' })
      const dashboard = await open(url)
      await openStream(dashboard, 'mine')
      await expect.poll(() => kinds(dashboard), waiting).toContain('gap')
      const gap = await dashboard.page.locator('.recorder [data-kind=gap]').textContent()
      expect(gap).toContain('id-1')
    })

    test('nodes that did not answer are named', async () => {
      const url = await serve()
      const dashboard = await open(url)
      await dashboard.page.route('**/api/streams?**', async (route) => {
        const answer = await route.fetch()
        await route.fulfill({ json: { ...((await answer.json()) as object), missing: ['worker 2'] } })
      })
      await dashboard.show('Streams')
      await dashboard.page.getByText('1 node did not answer in time: worker 2.').waitFor()
    })

    test('the keyboard reaches and opens a stream', async () => {
      const url = await serve()
      for (const topic of ['apples', 'pears', 'plums']) await listen(`${url}/subscribe?topic=${topic}`)
      const { page } = await open(url, { hash: '#/streams?sort=topics' })
      await page.locator('.body [role=row]').nth(2).waitFor()
      await page.keyboard.press('/')
      expect(await page.evaluate(() => document.activeElement?.matches('[data-filter]'))).toBe(true)
      await page.getByRole('grid').focus()
      await page.keyboard.press('ArrowDown')
      const active = () => page.getByRole('grid').getAttribute('aria-activedescendant')
      await expect.poll(active, waiting).toBe('stream-1')
      await page.keyboard.press('End')
      await expect.poll(active, waiting).toBe('stream-2')
      await page.keyboard.press('Enter')
      await page.locator('.topic-list', { hasText: 'plums' }).waitFor()
      expect(await page.evaluate(() => document.activeElement?.id)).toBe('detail-title')
      await page.keyboard.press('Escape')
      await page.locator('.detail').waitFor({ state: 'detached' })
      expect(await page.evaluate(() => document.activeElement?.role)).toBe('grid')
    })
  })

  // All 10,000 in `npm run test:soak`: to open them takes most of the time.
  const many = process.env.TEST_SOAK === undefined ? 1_000 : 10_000
  test(`${many} streams are sorted and filtered, and only those on the screen are rows`, async () => {
    const server = await startServer()
    onTestFinished(() => server.kill())
    await openSockets(server.port, many)
    const dashboard = await open(server.url, { hash: '#/streams?sort=topics' })
    const { page } = dashboard
    await page.getByText(`${many.toLocaleString('en')} open streams.`).waitFor()
    const grid = page.getByRole('grid')
    expect(await grid.getAttribute('aria-rowcount')).toBe(String(many + 1))
    expect(await page.locator('.body [role=row]').count()).toBeLessThan(80)
    // Twenty rows in each frame, which is faster than any hand.
    let mostRows = 0
    const work = await workOf(page, async () => {
      mostRows = await grid.evaluate(async (element, frames) => {
        let most = 0
        for (let frame = 0; frame < frames; frame++) {
          element.scrollTop += 600
          await new Promise((resolve) => requestAnimationFrame(resolve))
          most = Math.max(most, element.querySelectorAll('.body [role=row]').length)
        }
        return most
      }, scrolledFrames)
    })
    expect(mostRows).toBeLessThan(80)
    // A screen with sixty frames per second leaves 16 ms for each.
    console.log(`dashboard: ${(work / scrolledFrames).toFixed(1)} ms of processor time per frame of scrolling`)
    await grid.evaluate((element) => element.scrollTo(0, element.scrollHeight))
    const name = (index: number) => `many/${String(index).padStart(5, '0')}`
    await topicRow(dashboard, name(many - 1)).waitFor()
    await page.getByRole('columnheader', { name: 'Topics' }).getByRole('button').click()
    await grid.evaluate((element) => element.scrollTo(0, 0))
    await topicRow(dashboard, name(many - 1)).waitFor()
    await dashboard.filter(name(567))
    await expect.poll(() => page.locator('.body [role=row]').count(), waiting).toBe(1)
    await topicRow(dashboard, name(567)).waitFor()
  })

  test('the inspector shows receivers, retention, and what a client gets that resumes', async () => {
    const url = await serve('--retention', '[{"match":"orders/{id}","last":2}]')
    await listen(`${url}/subscribe?topic=orders/7`)
    await listen(`${url}/subscribe?topic=orders/{id}`)
    for (const data of ['1', '2', '3', '4']) await publish(url, data, { topic: 'orders/7', id: `id-${data}` })
    const dashboard = await open(url, { hash: '#/topics' })
    const { page } = dashboard
    await page.getByLabel('Topic', { exact: true }).fill('orders/7')
    await page.getByLabel('Resume at id').fill('id-3')
    await page.getByRole('button', { name: 'Inspect' }).click()
    await page.getByText('2 streams in 2 audiences').waitFor()
    await page.getByText('No gap: the client misses nothing.').waitFor()
    expect(await page.locator('.inspector').textContent()).toContain('Receives1 entry of the history')
    expect(await page.locator('.inspector').textContent()).toContain('orders/{id}')
    await page.getByLabel('Resume at id').fill('id-1')
    await page.getByRole('button', { name: 'Inspect' }).click()
    await page.getByText('The client sees a gap').waitFor()
    await page.goBack()
    await page.getByText('No gap: the client misses nothing.').waitFor()
    keepPublishing(url, 'x', { topic: 'orders/8' }, 50)
    await page.getByRole('row', { name: 'orders/8' }).getByRole('link').click()
    await page.getByText('1 stream in 1 audience').waitFor()
  })

  describe('the events', () => {
    const shown = ({ page }: DashboardPage) => page.locator('.event .preview').allTextContents()

    test('are tailed, paused and filtered', async () => {
      const url = await serve()
      await publish(url, 'one', { topic: 'a' })
      const dashboard = await open(url, { hash: '#/events' })
      const { page } = dashboard
      await expect.poll(() => shown(dashboard), waiting).toEqual(['one'])
      await page.getByRole('button', { name: 'Pause' }).click()
      await publish(url, '{"deep":{"er":1}}', { topic: 'b', type: 'paid' })
      const resume = page.getByRole('button', { name: 'Resume (1 new)' })
      await resume.waitFor()
      expect(await shown(dashboard)).toEqual(['one'])
      await resume.click()
      await expect.poll(() => shown(dashboard), waiting).toEqual(['{"deep":{"er":1}}', 'one'])
      await dashboard.filter('PAID')
      await expect.poll(() => shown(dashboard), waiting).toEqual(['{"deep":{"er":1}}'])
      await page.locator('.event summary').first().click()
      const folded = page.locator('.tree details').nth(1)
      expect(await folded.getAttribute('open')).toBeNull()
      await folded.locator('summary').click()
      await page.getByText('er: 1').waitFor()
    })

    test('with markup, and streams with such topics, are shown as text and run no script', async () => {
      const url = await serve()
      const markup = '<img src=x onerror="window.ran = true"><script>window.ran = true</script>'
      const stream = await listen(`${url}/subscribe?topic=${encodeURIComponent(markup)}`)
      onTestFinished(() => stream.close())
      await publish(url, JSON.stringify({ [markup]: markup }), { topic: markup, type: '<b>bold</b>' })
      const dashboard = await open(url, { hash: '#/events' })
      const { page } = dashboard
      await page.locator('.event summary').first().click()
      await page.locator('.tree').waitFor()
      const elements = () => page.locator('#app img, #app script').count()
      expect(await elements()).toBe(0)
      await dashboard.show('Streams')
      await topicRow(dashboard, markup).waitFor()
      expect(await elements()).toBe(0)
      expect(await page.evaluate(() => 'ran' in window)).toBe(false)
    })

    test('are replayed after an id', async () => {
      const url = await serve()
      for (const data of ['one', 'two', 'three']) await publish(url, data, { topic: 'a', id: `id-${data}` })
      const dashboard = await open(url, { hash: '#/events' })
      const { page } = dashboard
      await expect.poll(() => shown(dashboard), waiting).toEqual(['three', 'two', 'one'])
      await page.getByLabel('Replay after id').fill('id-two')
      await page.getByRole('button', { name: 'Follow' }).click()
      await expect.poll(() => shown(dashboard), waiting).toEqual(['three'])
      await page.getByLabel('Replay after id').fill('nobody-knows')
      await page.getByRole('button', { name: 'Follow' }).click()
      await page.getByText('A gap: the server does not know the last event').waitFor()
    })

    test('are published and ended', async () => {
      const url = await serve()
      const client = await listen(`${url}/subscribe?topic=a`)
      const dashboard = await open(url, { hash: '#/events' })
      const { page } = dashboard
      const form = page.locator('form.publish')
      await form.getByLabel('Topics').fill('a')
      await form.getByLabel('Data').fill('hello')
      await form.getByRole('button', { name: 'Publish' }).click()
      await client.received(1)
      expect(client.data).toEqual(['hello'])
      await expect.poll(() => shown(dashboard), waiting).toEqual(['hello'])
      // Then the form is empty.
      await page.getByText('Published to a.').waitFor()
      await form.getByLabel('Type').fill('tidings:mine')
      await form.getByLabel('Data').fill('kept')
      await form.getByRole('button', { name: 'Publish' }).click()
      await form.getByText('types that begin with "tidings:" are reserved').waitFor()
      // Chromium reports each refusal.
      expect(dashboard.complaints.splice(0).join()).toMatch(/status of 400/)
      expect(await form.getByLabel('Data').inputValue()).toBe('kept')
      await form.getByLabel('Type').fill('')
      await form.getByRole('button', { name: 'End topics…' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'End topics' }).click()
      await client.until(({ ended }) => ended)
    })

    test('private payloads need a token that may read them', async () => {
      const url = await serve(...keyed)
      const headers = { Authorization: `Bearer ${await legacy({ publish: ['*'] })}` }
      await ask(`${url}/publish?topic=a&private`, { method: 'POST', body: 'hidden', headers })
      await ask(`${url}/publish?topic=a`, { method: 'POST', body: 'public', headers })
      const mayNot = await open(url, {
        hash: '#/events',
        token: await legacy({ publish: ['*'], 'tidings:operate': true })
      })
      await expect.poll(() => shown(mayNot), waiting).toEqual(['public'])
      const may = await open(url, { hash: '#/events', token: await legacy(operatorGrants) })
      await expect.poll(() => shown(may), waiting).toEqual(['public', 'hidden'])
    })
  })

  test('configuration and health show values, origins and states', async () => {
    const url = await serve('--heartbeat', '7s')
    const dashboard = await open(url, { hash: '#/server' })
    const { page } = dashboard
    await page.locator('.checks tr', { hasText: 'Log' }).getByText('ok').waitFor()
    const heartbeat = page.locator('.options tr', { hasText: '--heartbeat' }).first()
    await heartbeat.getByText('differs').waitFor()
    expect(await heartbeat.textContent()).toContain('7s')
    await page.getByLabel('only differences from the default').check()
    await expect.poll(() => page.locator('.options tr', { hasText: '--max-age' }).count(), waiting).toBe(0)
    expect(await heartbeat.count()).toBe(1)
  })

  test('a read-only dashboard has no actions', async () => {
    const url = await serve('--dashboard', 'read-only')
    await listen(`${url}/subscribe?topic=mine`)
    const dashboard = await open(url)
    await openStream(dashboard, 'mine')
    await dashboard.page.getByText('read-only').waitFor()
    expect(await dashboard.page.getByRole('button', { name: /Close stream…|Revoke token…/ }).count()).toBe(0)
    await dashboard.show('Events')
    expect(await dashboard.page.locator('form.publish').count()).toBe(0)
  })

  test('asks for a token, explains a refusal, and shows data with the right one', async () => {
    const url = await serve(...keyed)
    const dashboard = await openDashboard(browser, url)
    const { page } = dashboard
    await page.getByRole('heading', { name: 'This dashboard needs a token' }).waitFor()
    const enter = async (token: string) => {
      await page.getByLabel('Token', { exact: true }).fill(token)
      await page.getByRole('button', { name: 'Use token' }).click()
    }
    expect(await accessibilityIssues(dashboard)).toEqual([])
    await enter('nonsense')
    await page.getByRole('heading', { name: 'The server refused the token' }).waitFor()
    await page.getByText('The token is not valid. (HTTP 401)').waitFor()
    await enter(await legacy({ publish: ['*'] }))
    await page.getByRole('alert').getByText('the token must have the grant tidings:operate').waitFor()
    await enter(await legacy(operatorGrants))
    await isLive(dashboard)
    await page.getByRole('heading', { name: 'Nodes and workers' }).waitFor()
    expect(page.url()).toBe(`${url}/dashboard`)
    await page.reload()
    await page.getByRole('heading', { name: 'Nodes and workers' }).waitFor()
    await page.getByRole('button', { name: 'Forget token' }).click()
    await page.getByRole('heading', { name: 'This dashboard needs a token' }).waitFor()
    const refusals = dashboard.complaints.filter((text) => !/status of 40[13]/.test(text))
    expect(refusals).toEqual([])
  })

  test('works with the cookie of the application', async () => {
    const url = await serve(...keyed)
    const context = await browser.newContext()
    onTestFinished(() => context.close())
    await context.addCookies([{ name: 'mercureAuthorization', value: await legacy(operatorGrants), url }])
    const page = await context.newPage()
    await page.goto(`${url}/dashboard#/events`)
    const form = page.locator('form.publish')
    await form.getByLabel('Topics').fill('a')
    await form.getByLabel('Data').fill('hello')
    await form.getByRole('button', { name: 'Publish' }).click()
    await page.locator('.event', { hasText: 'hello' }).waitFor()
    await expect.poll(() => page.locator('.connection').textContent(), waiting).toBe('Live')
  })

  test.each([390, 320])('no view needs horizontal scrolling in a window of %i pixels', async (width) => {
    const url = await serve()
    await listen(`${url}/subscribe?topic=${'long'.repeat(50)}`)
    keepPublishing(url, 'w'.repeat(500), { topic: 'long'.repeat(50), type: 't'.repeat(100) }, 100)
    const dashboard = await open(url, { width })
    const { page } = dashboard
    const scrollWidth = () => page.evaluate(() => document.scrollingElement?.scrollWidth)
    for (const view of viewNames) {
      await dashboard.show(view)
      await page.locator('.card, .body [role=row], .busiest, .event, .options').first().waitFor()
      expect(await scrollWidth(), view).toBeLessThanOrEqual(width)
    }
    await openStream(dashboard, 'long')
    expect(await scrollWidth(), 'details').toBeLessThanOrEqual(width)
  })

  test.each(['light', 'dark'] as const)('axe-core finds no problem in the %s theme', async (colorScheme) => {
    const url = await serve()
    await listen(`${url}/subscribe?topic=mine`)
    await publish(url, '{"total":{"sum":42}}', { topic: 'mine', id: 'id-1' })
    const dashboard = await open(url, { colorScheme })
    const { page } = dashboard
    await page.getByRole('heading', { name: 'Nodes and workers' }).waitFor()
    expect(await accessibilityIssues(dashboard), 'Overview').toEqual([])
    await openStream(dashboard, 'mine')
    expect(await accessibilityIssues(dashboard), 'Streams').toEqual([])
    await page.getByRole('button', { name: 'Close stream…' }).click()
    expect(await accessibilityIssues(dashboard), 'dialog').toEqual([])
    await page.keyboard.press('Escape')
    await page.goto(`${url}/dashboard#/topics?topic=mine&id=id-1`)
    await page.getByText('No gap: the client misses nothing.').waitFor()
    expect(await accessibilityIssues(dashboard), 'Topics').toEqual([])
    await dashboard.show('Events')
    await page.locator('.event summary').first().click()
    await page.locator('.tree').waitFor()
    expect(await accessibilityIssues(dashboard), 'Events').toEqual([])
    await dashboard.show('Server')
    await page.locator('.options').waitFor()
    await page.locator('.checks').waitFor()
    expect(await accessibilityIssues(dashboard), 'Server').toEqual([])
  })

  test('the theme can be chosen, and is remembered', async () => {
    const url = await serve()
    const { page } = await open(url, { colorScheme: 'light' })
    const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
    const light = await background()
    const button = page.getByRole('button', { name: /^Theme/ })
    await button.click()
    await button.click()
    await expect.poll(background, waiting).not.toBe(light)
    const dark = await background()
    await page.reload()
    await expect.poll(background, waiting).toBe(dark)
    await button.click()
    await expect.poll(background, waiting).toBe(light)
  })
})

const scrolledFrames = 150

/** Milliseconds of processor time that the page computes, styles and lays out meanwhile. The time between frames would measure the machine. */
async function workOf(page: Page, act: () => Promise<void>): Promise<number> {
  const session = await page.context().newCDPSession(page)
  await session.send('Performance.enable', { timeDomain: 'threadTicks' })
  const total = async () => {
    const { metrics } = await session.send('Performance.getMetrics')
    const counted = metrics.filter(({ name }) => /^(Script|Layout|RecalcStyle)Duration$/.test(name))
    return counted.reduce((sum, { value }) => sum + value * 1_000, 0)
  }
  const before = await total()
  await act()
  const after = await total()
  await session.detach()
  return after - before
}

/** Opens streams of `many/00000` and so on, as bytes on sockets: a client for each would cost this process too much. */
async function openSockets(port: number, count: number): Promise<void> {
  const sockets: Socket[] = []
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
  })
  let answered = 0
  await new Promise<void>((resolve, reject) => {
    for (let index = 0; index < count; index++) {
      const socket = connect(port, '127.0.0.1')
      sockets.push(socket)
      socket.on('error', reject)
      socket.write(`GET /subscribe?topic=many/${String(index).padStart(5, '0')} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`)
      socket.once('data', () => {
        socket.resume()
        if (++answered === count) resolve()
      })
    }
  })
}
