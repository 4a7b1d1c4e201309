// The live page of a server with keys: it asks for tokens, and accepts those of both dialects.
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { audience, dialects, keyed, MercureServer, token } from '../support/http/mercure.ts'
import { describeWith, headlessChromium } from '../support/requirements.ts'
import { launch } from '../support/servers/live-page.ts'

describeWith(await headlessChromium(), 'the live page of a server with keys', (executablePath) => {
  const server = new MercureServer()
  let browser: Browser

  beforeAll(async () => {
    browser = await launch(executablePath)
    await server.start(keyed)
  })
  afterAll(async () => {
    await browser.close()
    await server.stop()
  })

  test.each(dialects)(
    'says that it needs a token, takes one of %s, and then follows and publishes',
    async (dialect) => {
      const page = await browser.newPage()
      onTestFinished(() => page.close())
      await page.goto(server.url)
      await expect.poll(() => page.textContent('#follow-said')).toContain('requires a token')
      await page.fill('#token-read', await token(dialect, { subscribe: ['*'] }))
      await page.fill('#token-publish', await token(dialect, { publish: ['*'] }))
      await page.click('#token button')
      await expect.poll(() => page.textContent('#state')).toBe('Live')
      await page.fill('#data', `for ${dialect}`)
      await page.click('#publish button')
      await expect.poll(() => page.locator('#events .data').first().textContent()).toBe(`for ${dialect}`)
      await expect.poll(() => page.textContent('#count')).toBe('1 subscription')
    }
  )

  test('reports why a token is invalid, and accepts another', async () => {
    const page = await browser.newPage()
    onTestFinished(() => page.close())
    await page.goto(server.url)
    await page.locator('#tokens[open]').waitFor()
    await page.fill('#token-read', await token('1.0', { subscribe: ['*'], claims: { aud: `${audience}/other` } }))
    await page.click('#token button')
    await expect.poll(() => page.textContent('#follow-said')).toContain('not valid')
    await page.fill('#token-read', await token('1.0', { subscribe: ['*'] }))
    await page.click('#token button')
    await expect.poll(() => page.textContent('#state')).toBe('Live')
  })
})
