// Takes the pictures of the documentation site in site/images. Needs the site to be built (`npm run docs`), and Chromium.
import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { findChromium } from './chromium.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const images = process.argv[2] ?? join(root, 'site/images')

/** @type {{ name: string, path: string, colorScheme: 'light' | 'dark', width: number, search?: string }[]} */
const pictures = [
  { name: 'home', path: '/', colorScheme: 'light', width: 1280 },
  { name: 'concepts-dark', path: '/concepts', colorScheme: 'dark', width: 1280 },
  { name: 'search', path: '/history', colorScheme: 'light', width: 1280, search: 'gap' },
  { name: 'phone', path: '/history', colorScheme: 'light', width: 390 }
]

const port = process.env.PORT ?? '4174'
const url = `http://localhost:${port}`
const server = spawn(join(root, 'node_modules/.bin/vitepress'), ['preview', 'site', '--port', port], { cwd: root })
try {
  mkdirSync(images, { recursive: true })
  await answers()
  const browser = await chromium.launch({ executablePath: findChromium(), args: ['--no-sandbox', '--disable-gpu'] })
  for (const picture of pictures) await take(browser, picture)
  await browser.close()
} finally {
  server.kill()
}

/** The server prints nothing when it is ready, so it is asked until it answers. */
async function answers() {
  while (!(await fetch(url).catch(() => undefined))?.ok) {
    if (server.exitCode !== null) throw new Error('the site cannot be served; run `npm run docs` first')
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

/** @param {import('playwright-core').Browser} browser @param {(typeof pictures)[number]} picture */
async function take(browser, { name, path, colorScheme, width, search }) {
  const viewport = { width, height: 800 }
  const page = await browser.newPage({ viewport, colorScheme, reducedMotion: 'reduce' })
  page.on('pageerror', (error) => {
    throw error
  })
  await page.goto(url + path)
  await page.getByRole('heading', { level: 1 }).waitFor()
  if (search !== undefined) {
    await page.keyboard.press('Control+k')
    await page.locator('.search-input').fill(search)
    await page.locator('.results li').first().waitFor()
  }
  await page.screenshot({ path: join(images, `${name}.png`) })
  await page.close()
}
