// A browser over HTTP/2: more streams to one host than HTTP/1.1 allows, on one connection.
import { fileURLToPath } from 'node:url'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { describeWith, headlessChromium } from '../support/requirements.ts'
import { launch } from '../support/servers/live-page.ts'
import { type ServerProcess, startServer } from '../support/servers/server.ts'

const fixture = (name: string) => fileURLToPath(new URL(`../support/auth/for-tests-only.${name}.pem`, import.meta.url))

describeWith(await headlessChromium(), 'Chromium over HTTP/2', (executablePath) => {
  let browser: Browser
  let server: ServerProcess

  beforeAll(async () => {
    browser = await launch(executablePath)
    server = await startServer({ args: ['--tls-cert', fixture('cert'), '--tls-key', fixture('key')] })
  })
  afterAll(async () => {
    await browser.close()
    await server.kill()
  })

  test('opens twenty streams to one host, and each receives every event', async () => {
    const context = await browser.newContext({ ignoreHTTPSErrors: true })
    onTestFinished(() => context.close())
    const page = await context.newPage()
    await page.goto(server.url)
    const result = await page.evaluate(async () => {
      const sources = Array.from({ length: 20 }, () => new EventSource('/subscribe?topic=many'))
      await Promise.all(sources.map((source) => new Promise((resolve) => source.addEventListener('open', resolve))))
      const heard = sources.map((source) => new Promise((resolve) => source.addEventListener('message', resolve)))
      await fetch('/publish?topic=many', { method: 'POST', body: 'hello', headers: { 'Content-Type': 'text/plain' } })
      const events = (await Promise.all(heard)) as MessageEvent[]
      const [entry] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[]
      return { data: events.map(({ data }) => data as string), protocol: entry?.nextHopProtocol }
    })
    expect(result).toEqual({ data: Array.from({ length: 20 }, () => 'hello'), protocol: 'h2' })
  })
})
