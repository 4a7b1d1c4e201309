// The examples that are servers with a page, run by the commands of their READMEs, in a browser.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { ask, post } from '../support/http/http.ts'
import { describeWith, headlessChromium } from '../support/requirements.ts'
import { startExample } from '../support/servers/example.ts'
import { launch, waiting } from '../support/servers/live-page.ts'

describeWith(await headlessChromium(), 'in a browser', (executablePath) => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launch(executablePath)
  })
  afterAll(() => browser.close())

  /** A page of a user of their own. */
  async function open(url: string): Promise<Page> {
    const context = await browser.newContext()
    onTestFinished(() => context.close())
    const page = await context.newPage()
    await page.goto(url)
    return page
  }
  const items = (page: Page) => page.locator('li').allTextContents()

  it('express: each user sees only their own notifications, with those from before', async () => {
    const url = await startExample('express')
    const notify = async (name: string, text: string) => {
      const type = { 'Content-Type': 'application/json' }
      expect((await post(`${url}/notify/${name}`, JSON.stringify({ text }), type)).status).toBe(204)
    }
    await notify('ann', 'before')
    const [ann, bob] = [await open(url), await open(url)]
    for (const [page, name] of [
      [ann, 'ann'],
      [bob, 'bob']
    ] as const) {
      await page.getByLabel('Your name').fill(name)
      await page.getByRole('button', { name: 'Log in' }).click()
      await page.getByText(`Logged in as ${name}`).waitFor()
    }
    await expect.poll(() => items(ann), waiting).toEqual(['before'])
    await notify('bob', 'for bob')
    await notify('ann', '<b>for ann</b>')
    await expect.poll(() => items(ann), waiting).toEqual(['before', '<b>for ann</b>'])
    await expect.poll(() => items(bob), waiting).toEqual(['for bob'])
    expect((await ask(`${url}/events/updates?topic=users/ann`)).status).toBe(403)
  })

  it('fastify: a vote appears on every page, and a page that opens later begins with the count', async () => {
    const url = await startExample('fastify')
    const [first, second] = [await open(url), await open(url)]
    await first.getByRole('button', { name: 'Tea' }).click()
    await second.getByRole('button', { name: 'Tea' }).click()
    const pages = [first, second, await open(url)]
    for (const page of pages) {
      await expect.poll(() => page.locator('output').allTextContents(), waiting).toEqual(['2', '0'])
    }
    expect((await post(`${url}/votes/toString`, '')).status).toBe(404)
    expect((await post(`${url}/events/publish?topic=poll`, '{"tea":9}')).status).toBe(403)
  })

  it('progress: the bar survives a reload, and stops when the job has finished', async () => {
    const url = await startExample('progress', { STEP_MS: '150' })
    const page = await open(url)
    const value = () => page.locator('progress').evaluate((bar: HTMLProgressElement) => bar.value)
    await page.getByRole('button').click()
    await expect.poll(value, waiting).toBeGreaterThanOrEqual(20)
    await page.reload()
    await expect.poll(value, waiting).toBeGreaterThanOrEqual(20)
    const other = await open(page.url())
    for (const each of [page, other]) {
      await expect.poll(() => each.locator('output').textContent(), waiting).toBe('finished')
      expect(await each.locator('progress').evaluate((bar: HTMLProgressElement) => bar.value)).toBe(100)
    }
  })

  it('chat: messages appear in the room, for everyone there and for who comes later', async () => {
    const url = await startExample('chat')
    const [ann, bob, elsewhere] = [
      await open(`${url}/?room=tea`),
      await open(`${url}/?room=tea`),
      await open(`${url}/?room=other`)
    ]
    for (const [page, name, text] of [
      [ann, 'ann', 'hello'],
      [bob, 'bob', '<i>hi</i>']
    ] as const) {
      await page.getByLabel('Name').fill(name)
      await page.getByLabel('Message').fill(text)
      await page.getByRole('button', { name: 'Send' }).click()
      await expect.poll(() => items(ann), waiting).toContain(`${name}: ${text}`)
    }
    for (const page of [ann, bob, await open(`${url}/?room=tea`)]) {
      await expect.poll(() => items(page), waiting).toEqual(['ann: hello', 'bob: <i>hi</i>'])
    }
    expect(await items(elsewhere)).toEqual([])
    expect((await post(`${url}/events/publish?topic=other`, 'x')).status).toBe(403)
  })

  it('board: a point appears on every board, and no point is lost', async () => {
    const url = await startExample('board')
    const [first, second] = [await open(url), await open(url)]
    await Promise.all(Array.from({ length: 20 }, () => post(`${url}/scores/red`, '')))
    await first.getByRole('button', { name: '+1 blue' }).click()
    for (const page of [first, second, await open(url)]) {
      await expect.poll(() => page.locator('td[id]').allTextContents(), waiting).toEqual(['20', '0', '1'])
    }
    expect((await post(`${url}/scores/pink`, '')).status).toBe(200)
    expect((await post(`${url}/events/publish?topic=scores/red`, '99')).status).toBe(403)
  })

  /** A page on which the example `ai` is asked, and begins to answer. */
  async function pageAsking(question: string, delay: string): Promise<Page> {
    const page = await open(await startExample('ai', { DELAY: delay }))
    await page.getByLabel('Question').fill(question)
    await page.getByRole('button', { name: 'Ask' }).click()
    await expect.poll(() => answerOf(page), waiting).toContain(`You asked: ${question}. `)
    return page
  }
  const answerOf = (page: Page) => page.locator('#answer').textContent()

  it('ai: another device resumes the answer from its beginning', async () => {
    const first = await pageAsking('why', '150')
    const second = await open(first.url())
    await expect.poll(() => answerOf(second), waiting).toContain('A long answer ')
    await first.reload()
    for (const page of [first, second]) {
      await expect.poll(() => page.locator('output').textContent(), waiting).toBe('complete')
      expect(await answerOf(page)).toMatch(/^You asked: why\. A long answer .* on every device $/)
    }
  })

  it('ai: another device stops the answer', async () => {
    // Slow enough that the answer is not complete before the other page is open.
    const first = await pageAsking('stop me', '1000')
    const other = await open(first.url())
    await other.getByRole('button', { name: 'Stop' }).click()
    await expect.poll(() => first.locator('output').textContent(), waiting).toBe('complete')
    expect(await answerOf(first)).not.toContain('device')
  })
})

describe('each example', () => {
  const examples = readdirSync('examples')

  it.each(examples)('%s has a README, and less than eighty lines in each file', (name) => {
    const all = readdirSync(join('examples', name), { recursive: true, encoding: 'utf8' })
    // What was installed and built to try it is not part of it.
    const files = all.filter((path) => !/^(node_modules|\.next)/.test(path))
    expect(files).toContain('README.md')
    for (const file of files.filter((path) => /\.(jsx?|html|sh)$/.test(path))) {
      expect(readFileSync(join('examples', name, file), 'utf8').split('\n').length, file).toBeLessThan(80)
    }
  })
})
