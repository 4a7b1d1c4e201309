// Next.js: the integration suite with route handlers, and examples/nextjs as its README runs it. They share one installation.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { Server } from 'node:http'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest'
import { ask, post } from '../support/http/http.ts'
import { listen } from '../support/http/sse-client.ts'
import { addRoutes, serveNext, startInProcess } from '../support/integrations/nextjs.ts'
import { integrationSuite } from '../support/integrations/suite.ts'
import { chromium, describeWith } from '../support/requirements.ts'
import { launch, waiting } from '../support/servers/live-page.ts'
import { buildNextApp, nextjs, startNextApp } from '../support/servers/nextjs.ts'

/** A route that publishes the value of an expression. */
const publishing = (expression: string) => `import { hub } from '../../hub'
export const POST = async () => Response.json(await hub.publish({ topics: ['messages'], data: ${expression} }))`

const [found, browserFound] = [await nextjs(), await chromium()]

describeWith(found, 'in Next.js', () => {
  let folder: string
  let server: Server
  const closing: (() => unknown)[] = []
  beforeAll(async () => {
    vi.stubEnv('NODE_ENV', 'production')
    const built = await buildNextApp(addRoutes)
    closing.push(built.remove)
    folder = built.folder
    const started = await startInProcess(folder)
    closing.push(started.close)
    server = started.server
  }, 300_000)
  afterAll(async () => {
    for (const close of closing.reverse()) await close()
    vi.unstubAllEnvs()
  })

  integrationSuite('route handlers', (hub, options) => serveNext(server, hub, options), { compresses: true })

  it('SIGTERM ends the streams and the process', async () => {
    const { url, stop } = await startNextApp(folder)
    const client = await listen(`${url}/events/subscribe?topic=messages`)
    await stop()
    await client.until(({ ended }) => ended, 'the end of the stream')
    expect(client.status).toBe(200)
  })

  it('a subscriber stays connected when modules change in development', async () => {
    mkdirSync(join(folder, 'app/publish'), { recursive: true })
    const route = join(folder, 'app/publish/route.js')
    writeFileSync(route, publishing("'before'"))
    const { url } = await startNextApp(folder, 'npm run dev')
    const client = await listen(`${url}/events/subscribe?topic=messages`)
    const publish = async () => (await post(`${url}/publish`, '')).status === 200 && client.data.at(-1)
    expect((await post(`${url}/publish`, '')).status).toBe(200)
    expect(await client.received(1)).toEqual(['before'])
    // The module of the hub itself is evaluated again too.
    const hub = join(folder, 'hub.js')
    writeFileSync(hub, `${readFileSync(hub, 'utf8')}\nglobalThis.evaluations = (globalThis.evaluations ?? 0) + 1\n`)
    writeFileSync(route, publishing('String(globalThis.evaluations)'))
    await expect.poll(publish, waiting).toMatch(/^\d+$/)
    expect(client.ended).toBe(false)
  })

  describeWith(browserFound, 'in a browser', (executablePath) => {
    let browser: Browser
    beforeAll(async () => {
      browser = await launch(executablePath)
    })
    afterAll(() => browser.close())

    it('a message appears on every page, and on one that opens later', async () => {
      const { url } = await startNextApp(folder)
      const open = async () => {
        const context = await browser.newContext()
        onTestFinished(() => context.close())
        const page = await context.newPage()
        await page.goto(url)
        return page
      }
      const [first, second] = [await open(), await open()]
      for (const [page, text] of [
        [first, 'hello'],
        [second, '<i>hi</i>']
      ] as const) {
        await page.getByLabel('Message').fill(text)
        await page.getByRole('button', { name: 'Send' }).click()
        await expect.poll(() => first.locator('li').allTextContents(), waiting).toContain(text)
      }
      for (const page of [first, second, await open()]) {
        await expect.poll(() => page.locator('li').allTextContents(), waiting).toEqual(['hello', '<i>hi</i>'])
      }
      expect((await post(`${url}/events/publish?topic=messages`, '"x"')).status).toBe(403)
      expect((await ask(`${url}/events/updates?last=1`)).status).toBe(200)
    })
  })
})
