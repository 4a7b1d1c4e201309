// The client in a dedicated worker: it has no document, and no page that could be hidden.
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type * as Client from '../../dist/client/index.js'
import { openPage, send, server } from '../support/client/pages.ts'
import { describeWith, headlessChromium } from '../support/requirements.ts'
import { launch, waiting } from '../support/servers/live-page.ts'

declare global {
  interface Window {
    /** What the worker said. */
    said: unknown[]
  }
}

/** Runs in the worker, which has the client as `tidings`. */
function work(tidings: typeof Client, hub: string): void {
  const subscription = tidings.subscribe(`${hub}/subscribe`, { topics: ['a', 'from the worker'] })
  subscription.on('state', (state) => postMessage(state.status === 'waiting' ? state.reason : state.status))
  subscription.on('update', ({ topic, data }) => {
    postMessage([topic, data])
    if (topic !== 'a') return
    tidings
      .publish(`${hub}/publish`, { topics: 'from the worker', data: { got: data } })
      .then(undefined, (error: unknown) => postMessage(String(error)))
  })
}

describeWith(await headlessChromium(), 'the client in a worker', (executablePath) => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launch(executablePath)
  })
  afterAll(() => browser.close())

  it.each(['a file', 'a blob'])('from %s subscribes and publishes', async (source) => {
    const { url } = await server(['--publish-origins', '*'])
    const { page, url: site, scripts } = await openPage(browser, url)
    const script = `importScripts('${site}/client.js'); (${work})(tidings, '${url}')`
    scripts.set('/worker.js', script)
    await page.evaluate(
      ([source, script]) => {
        window.said = []
        const blob = new Blob([script as string], { type: 'text/javascript' })
        const worker = new Worker(source === 'a file' ? '/worker.js' : URL.createObjectURL(blob))
        worker.onmessage = ({ data }) => window.said.push(data)
        worker.onerror = ({ message }) => window.said.push(message)
      },
      [source, script]
    )
    const said = () => page.evaluate(() => window.said)
    await expect.poll(said, waiting).toEqual(['connecting', 'live'])
    await send(url, 1)
    await expect.poll(said, waiting).toEqual(['connecting', 'live', ['a', 1], ['from the worker', { got: 1 }]])
  })
})
