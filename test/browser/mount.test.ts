// The live page below a path of an Express app, with tokens.
import { createServer } from 'node:http'
import express from 'express'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createHandler, createHub } from '../../dist/index.js'
import { listenUntilDone } from '../support/http/http.ts'
import { keys, token } from '../support/http/mercure.ts'
import { describeWith, headlessChromium } from '../support/requirements.ts'
import { launch, openLivePage } from '../support/servers/live-page.ts'

describeWith(await headlessChromium(), 'the live page below a path', (executablePath) => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launch(executablePath)
  })
  afterAll(() => browser.close())

  test('redirects to its trailing slash, follows, publishes, and does not leak its token', async () => {
    const hub = createHub()
    const options = { publisherKey: keys.publish, subscriberKey: keys.subscribe, anonymous: true }
    const app = express().use('/events', createHandler(hub, options))
    const url = `http://127.0.0.1:${await listenUntilDone(createServer(app), hub)}`
    const live = await openLivePage(browser, `${url}/events?topic=t`)
    expect(live.page.url()).toBe(`${url}/events/?topic=t`)
    const [read, publish] = [await token('0.x', { subscribe: ['*'] }), await token('0.x', { publish: ['*'] })]
    await live.page.getByText('Tokens', { exact: true }).click()
    await live.page.getByLabel('To read').fill(read)
    await live.page.getByLabel('To publish').fill(publish)
    await live.page.getByRole('button', { name: 'Use', exact: true }).click()
    await live.is('Live')
    await live.publish('from below', { topic: 't' })
    await live.shows('from below')
    const cookies = await live.page.context().cookies(`${url}/events/`)
    expect(cookies.map(({ name, path }) => [name, path])).toContainEqual(['mercureAuthorization', '/events/'])
    expect(await live.page.locator('#curl-follow').textContent()).toContain(`${url}/events/subscribe?topic=t`)
    await live.page.close()
  })
})
