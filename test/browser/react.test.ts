// The React hooks in a real browser, in strict mode, with each supported version of React.
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { publish } from '../../dist/client/index.js'
import { keyed, token } from '../support/http/mercure.ts'
import { buildWith, openPage, type ReactBuild } from '../support/react/page.ts'
import type { Part, Scene } from '../support/react/scenes.ts'
import { describeWith, headlessChromium } from '../support/requirements.ts'
import { freePort } from '../support/servers/free-port.ts'
import { type LocalServer, type ServerOptions, startInProcess } from '../support/servers/in-process.ts'
import { launch, waiting } from '../support/servers/live-page.ts'
import { startServer } from '../support/servers/server.ts'

async function hub(settings: ServerOptions = {}): Promise<LocalServer> {
  const started = await startInProcess({ ...settings, args: ['--cors-origins', '*', ...(settings.args ?? [])] })
  onTestFinished(() => started.stop())
  return started
}

const scene = (url: string, ...parts: Part[]): Scene => ({ hub: { url: `${url}/subscribe` }, parts })
const pageAfter = (from: string, url: string, ...parts: Part[]): Scene => ({
  hub: { url: `${url}/subscribe`, from },
  parts
})

const send = (url: string, topics: string, ...data: unknown[]) =>
  publish(
    `${url}/publish`,
    data.map((one) => ({ topics, data: one }))
  )

/** The id of a page that is rendered now. */
async function idNow(url: string): Promise<string> {
  const { headers } = await fetch(`${url}/updates`, { method: 'HEAD' })
  return headers.get('Last-Event-ID') as string
}

/** Waits until the hub has so many streams. */
async function streamsAre(url: string, count: number) {
  const debug = async () => (await fetch(`${url}/debug`)).text()
  await expect.poll(debug, waiting).toBe(`Currently ${count} subscription${count === 1 ? '' : 's'}`)
}

describeWith(await headlessChromium(), 'the React hooks', (executablePath) => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launch(executablePath)
  })
  afterAll(() => browser.close())

  describe.each([19, 18] as const)('with React %i', (version) => {
    let react: ReactBuild
    beforeAll(async () => {
      react = await buildWith(version)
    })

    test('deliver each update once in strict mode, over one stream', async () => {
      const { url } = await hub()
      const page = await openPage(browser, react.script)
      await page.show(scene(url, ['Log', { topics: 'a' }], ['Status']))
      await page.shows('status', 'live')
      await send(url, 'a', 1, 2)
      await page.got('1', '2')
      expect(page.streams()).toBe(1)
      expect(page.complaints).toEqual([])
    })

    test('continue from the page that the server rendered, without a warning', async () => {
      const { url } = await hub()
      await send(url, 'a', 'before')
      const rendered = pageAfter(
        await idNow(url),
        url,
        ['Value', { topic: 'a', options: { initial: 'rendered' } }],
        ['List', { topics: ['a', 'b'] }],
        ['Log', { topics: ['a', 'b'] }],
        ['Status']
      )
      const warnings = [vi.spyOn(console, 'error'), vi.spyOn(console, 'warn')]
      onTestFinished(() => void vi.restoreAllMocks())
      const html = react.render(rendered)
      for (const warning of warnings) expect(warning).not.toHaveBeenCalled()
      const page = await openPage(browser, react.script, html)
      await page.shows('value', 'rendered')
      await page.shows('status', 'connecting')
      await send(url, 'a', 1)
      await send(url, 'b', 2)
      await page.hydrate(rendered)
      await page.shows('status', 'live')
      await send(url, 'b', 3)
      await page.shows('list', '1 2 3')
      await page.shows('value', '1 (message)')
      await page.got('1', '2', '3')
      expect(page.complaints).toEqual([])
    })

    test('follow other topics when they change, and deliver nothing twice', async () => {
      const { url } = await hub()
      const page = await openPage(browser, react.script)
      const from = await idNow(url)
      const log = (...topics: string[]) => pageAfter(from, url, ['Log', { topics }], ['Status'])
      await page.show(log('a'))
      await send(url, 'a', 1)
      await page.got('1')
      await page.show(log('a', 'b'))
      await send(url, 'a', 2)
      await send(url, 'b', 3)
      await page.got('1', '2', '3')
      await page.show(log('b'))
      await send(url, 'a', 4)
      await send(url, 'b', 5)
      await page.got('1', '2', '3', '5')
    })

    test('call the latest handler, without another stream', async () => {
      const { url } = await hub()
      const page = await openPage(browser, react.script)
      for (const name of ['first ', 'second ']) {
        await page.show(scene(url, ['Log', { topics: ['a', 'b'], name }], ['Status']))
        await page.shows('status', 'live')
        await send(url, 'a', 1)
        await page.got(...(name === 'first ' ? ['first 1'] : ['first 1', 'second 1']))
      }
      expect(page.streams()).toBe(1)
    })
  })

  describe('with the newest React', () => {
    let script: string
    beforeAll(async () => {
      script = (await buildWith(19)).script
    })
    const open = () => openPage(browser, script)

    test('share a subscription between components with the same topics', async () => {
      const { url } = await hub()
      const page = await open()
      await page.show(
        scene(
          url,
          ['List', { topics: ['a', 'b'] }],
          ['List', { topics: ['b', 'a', 'b'], options: { limit: 1 } }],
          ['Log', { topics: ['a', 'b'] }],
          ['Status']
        )
      )
      await page.shows('status', 'live')
      await send(url, 'a', 1, 2)
      await page.shows('list', '1 2', '2')
      await page.got('1', '2')
      expect(page.streams()).toBe(1)
    })

    test('close the stream when the last component is gone', async () => {
      const { url } = await hub()
      const page = await open()
      await page.show(scene(url, ['Value', { topic: 'a' }], ['Status']))
      await page.shows('status', 'live')
      await streamsAre(url, 1)
      await page.show(scene(url, ['Status']))
      await streamsAre(url, 0)
      await page.shows('status', 'connecting')
    })

    test('keep the stream for a component that is replaced by another one', async () => {
      const { url } = await hub()
      const page = await open()
      for (const key of ['first', 'second']) {
        await page.show(scene(url, ['Value', { topic: 'a' }, key], ['Status']))
        await page.shows('status', 'live')
        await send(url, 'a', key)
        await page.shows('value', `${key} (message)`)
      }
      expect(page.streams()).toBe(1)
    })

    test('show nothing of the topic before, when a component follows another one', async () => {
      const { url } = await hub()
      const page = await open()
      await page.show(scene(url, ['Value', { topic: 'a' }], ['Status']))
      await page.shows('status', 'live')
      await send(url, 'a', 1)
      await page.shows('value', '1 (message)')
      await page.show(scene(url, ['Value', { topic: 'b', options: { initial: 'rendered' } }], ['Status']))
      expect(await page.page.textContent('.value')).toBe('rendered')
      await page.shows('status', 'live')
      await send(url, 'a', 2)
      await send(url, 'b', 3)
      await page.shows('value', '3 (message)')
    })

    test('subscribe to nothing with an empty list, or when disabled', async () => {
      const { url } = await hub()
      const page = await open()
      const value = (enabled: boolean) =>
        scene(url, ['List', { topics: [] }], ['Value', { topic: 'a', options: { enabled } }], ['Status'])
      await page.show(value(false))
      await page.shows('status', 'connecting')
      expect(page.streams()).toBe(0)
      await page.show(value(true))
      await page.shows('status', 'live')
      await send(url, 'a', 1)
      await page.shows('value', '1 (message)')
      await page.shows('list', '')
    })

    test('give a handler that is added later everything since the page was rendered', async () => {
      const { url } = await hub()
      const page = await open()
      const from = await idNow(url)
      await page.show(pageAfter(from, url, ['List', { topics: 'a' }], ['Status']))
      await send(url, 'a', 1, 2)
      await page.shows('list', '1 2')
      await page.show(pageAfter(from, url, ['List', { topics: 'a' }], ['Status'], ['Log', { topics: 'a' }]))
      await page.got('1', '2')
      await send(url, 'a', 3)
      await page.got('1', '2', '3')
    })

    test('continue with a handler that was disabled, after the last update that it has seen', async () => {
      const { url } = await hub()
      const page = await open()
      const log = (enabled: boolean) => scene(url, ['Log', { topics: 'a', options: { enabled } }], ['Status'])
      await page.show(log(true))
      await page.shows('status', 'live')
      await send(url, 'a', 1)
      await page.got('1')
      await page.show(log(false))
      await streamsAre(url, 0)
      await send(url, 'a', 2)
      await page.show(log(true))
      await page.got('1', '2')
    })

    test('begin again with other topics, with a handler too', async () => {
      const { url } = await hub()
      await send(url, 'a', 1, 2)
      await send(url, 'b', 3, 4)
      const page = await open()
      for (const topics of ['a', 'b']) {
        const options = { last: 1, limit: 10 }
        await page.show(scene(url, ['Log', { topics, options }], ['List', { topics, options }]))
        await page.shows('list', topics === 'a' ? '2' : '4')
      }
      await page.got('2', '4')
    })

    test('start with the newest updates', async () => {
      const { url } = await hub()
      await send(url, 'a', 1, 2, 3)
      const page = await open()
      await page.show(scene(url, ['Value', { topic: 'a', options: { last: 1 } }]))
      await page.shows('value', '3 (message)')
    })

    test('report gaps, ends and deletions, and remove what was deleted', async () => {
      const { url } = await hub({ args: ['--allow-delete'] })
      const page = await open()
      await page.show(
        pageAfter(
          'unknown',
          url,
          ['Log', { topics: 'a', options: { limit: 10 } }],
          ['Value', { topic: 'a', options: { initial: 'rendered' } }],
          ['List', { topics: 'a' }],
          ['Status']
        )
      )
      await page.got('gap unknown')
      await page.shows('status', 'live')
      await send(url, 'a', 1, 2)
      await page.shows('list', '1 2')
      await page.shows('value', '2 (message)')
      await fetch(`${url}/updates?topic=a`, { method: 'DELETE' })
      await page.shows('list', '')
      await page.shows('value', '-')
      await publish(`${url}/publish`, { topics: 'a', data: 'last', end: true })
      await page.got('gap unknown', '1', '2', 'deleted a', 'last', 'ended a')
      await page.shows('list', 'last')
      await page.shows('status', 'closed ended: undefined')
    })

    test('show that the server is away, and when it is back', async () => {
      const { url, port, kill } = await startServer({ port: await freePort(), args: ['--cors-origins', '*'] })
      onTestFinished(() => kill())
      const page = await open()
      await page.show(scene(url, ['Value', { topic: 'a' }], ['Status']))
      await page.shows('status', 'live')
      await kill('SIGKILL')
      await page.shows('status', 'waiting')
      await hub({ port })
      await page.shows('status', 'live')
      await send(url, 'a', 'back')
      await page.shows('value', 'back (message)')
    })

    test('show a refusal, and connect again with another token', async () => {
      const { url } = await hub({ args: keyed })
      const page = await open()
      const { hub: options, parts } = scene(url, ['Value', { topic: 'a' }], ['Status'])
      await page.show({ hub: { ...options, token: 'none' }, parts })
      await expect.poll(() => page.page.textContent('.status'), waiting).toContain('closed refused: ')
      await page.show({ hub: { ...options, token: await token('1.0', { subscribe: ['*'] }) }, parts })
      await page.shows('status', 'live')
    })

    test('share one stream between fifty components with fifty topics', async () => {
      const { url } = await hub()
      const page = await open()
      const topics = Array.from({ length: 50 }, (_, at) => `topic/${at}`)
      await page.show(scene(url, ['Values', { topics }], ['Status']))
      await page.shows('status', 'live')
      await Promise.all(topics.map((topic) => send(url, topic, topic)))
      await page.shows('value', ...topics.map((topic) => `${topic} (message)`))
      await streamsAre(url, 1)
      expect(page.streams()).toBe(1)
    })
  })
})
