// A page with the application of the React tests, bundled with one version of React, and the server that renders it.
import { mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { build } from 'esbuild'
import type { Browser, Page } from 'playwright-core'
import { expect } from 'vitest'
import { scriptedServer } from '../client/scripted-server.ts'
import { emptyPage, waiting } from '../servers/live-page.ts'
import type * as Scenes from './scenes.ts'
import type { Scene } from './scenes.ts'

declare global {
  interface Window {
    scenes: typeof Scenes
  }
}

export interface ReactBuild {
  /** The script of the page. */
  readonly script: string
  /** Renders the page as a server does. */
  render(scene: Scene): string
}

const aliases = { 19: {}, 18: { react: 'react-18', 'react-dom': 'react-dom-18' } } as const

/** Bundles the application. In development, React reports misuse to the console. */
export async function buildWith(version: keyof typeof aliases): Promise<ReactBuild> {
  const folder = resolve('build/react')
  mkdirSync(folder, { recursive: true })
  const options = { bundle: true, alias: aliases[version], define: { 'process.env.NODE_ENV': '"development"' } }
  const entryPoints = ['test/support/react/scenes.ts']
  const browser = await build({ ...options, entryPoints, write: false, format: 'iife', globalName: 'scenes' })
  const contents = `import { renderToString } from 'react-dom/server'
    import { createElement } from 'react'
    import { App } from './scenes.ts'
    export const render = (scene) => renderToString(createElement(App, scene))`
  const stdin = { contents, resolveDir: 'test/support/react' }
  const outfile = join(folder, `server-${version}.cjs`)
  await build({ ...options, stdin, outfile, format: 'cjs', platform: 'node' })
  const { render } = createRequire(import.meta.url)(outfile) as Pick<ReactBuild, 'render'>
  return { script: browser.outputFiles[0]?.text as string, render }
}

export interface ReactPage {
  readonly page: Page
  /** Errors and warnings of the console, and uncaught errors. */
  readonly complaints: string[]
  /** How many streams the page has asked for. */
  streams(): number
  show(scene: Scene): Promise<void>
  hydrate(scene: Scene): Promise<void>
  /** Waits until the components of this class show these texts. */
  shows(className: 'list' | 'value' | 'status', ...texts: string[]): Promise<void>
  /** Waits until the handlers have been called with these, in this order. */
  got(...events: string[]): Promise<void>
}

/** Opens a page with the application, which shows `html` until it is rendered. It is left when the test ends. */
export async function openPage(browser: Browser, script: string, html = ''): Promise<ReactPage> {
  const document = `<!doctype html><title>app</title><link rel="icon" href="data:,"><div id="root">${html}</div>`
  const site = await scriptedServer((response) => {
    response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(document)
  })
  const page = await emptyPage(browser)
  const complaints: string[] = []
  let streams = 0
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('request', (request) => {
    if (request.method() === 'GET' && new URL(request.url()).pathname.endsWith('/subscribe')) streams++
  })
  await page.goto(site.url)
  await page.addScriptTag({ content: `${script}; window.scenes = scenes` })
  return {
    page,
    complaints,
    streams: () => streams,
    show: (scene) => page.evaluate((one) => window.scenes.show(one), scene),
    hydrate: (scene) => page.evaluate((one) => window.scenes.hydrate(one), scene),
    shows: async (className, ...texts) => {
      await expect.poll(() => page.evaluate((one) => window.scenes.texts(one), className), waiting).toEqual(texts)
    },
    got: async (...events) => {
      await expect.poll(() => page.evaluate(() => window.scenes.got), waiting).toEqual(events)
    }
  }
}
