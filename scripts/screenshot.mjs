// Takes the pictures of the live page in docs/images: starts the server, publishes what a small shop and a weather service
// might, and looks at it in Chromium. Needs dist/ to be built, and Chromium.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { findChromium } from './chromium.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const images = process.argv[2] ?? join(root, 'docs/images')

/** @type {[topic: string, type: string, data: string][]} */
const events = [
  ['orders/15', 'paid', '{"total":"18.00 EUR","by":"card"}'],
  ['weather/berlin', 'observation', '{"temperature":16.8,"wind":"SW 3"}'],
  ['orders/16', 'placed', '{"items":1,"total":"9.50 EUR"}'],
  ['news', '', 'The market hall opens at nine on Saturday.'],
  ['orders/17', 'placed', '{"items":3,"total":"42.10 EUR"}'],
  [
    'weather/berlin',
    'warning',
    'Thunderstorms from the west after 17:00.\nGusts up to 80 km/h.\nPlease bring in the parasols.'
  ],
  ['orders/17', 'paid', '{"total":"42.10 EUR","by":"transfer"}'],
  [
    'build/main',
    'finished',
    'https://ci.example.com/builds/8f14e45fceea167a5a36dedd4bea2543?status=passed&duration=214s'
  ],
  ['weather/berlin', 'observation', '{"temperature":17.4,"wind":"W 5"}'],
  ['orders/17', 'shipped', '{"parcel":"JD0146 0000 2213","arrives":"Thursday"}']
]

const server = spawn(process.execPath, [join(root, 'dist/cli/main.js'), 'serve', '--port', '0'])
try {
  mkdirSync(images, { recursive: true })
  const url = await addressOf(server)
  for (const [topic, type, data] of events) await publish(url, topic, type, data)
  const browser = await chromium.launch({ executablePath: findChromium(), args: ['--no-sandbox', '--disable-gpu'] })
  try {
    await picture(browser, url, 'live-page.png', { viewport: { width: 1200, height: 800 }, colorScheme: 'light' })
    await picture(browser, url, 'live-page-dark-phone.png', {
      viewport: { width: 390, height: 844 },
      colorScheme: 'dark'
    })
  } finally {
    await browser.close()
  }
} finally {
  server.kill()
}

/** @param {import('node:child_process').ChildProcessWithoutNullStreams} child */
async function addressOf(child) {
  const [greeting] = await once(child.stdout, 'data')
  const [, url] = /listening on (\S+?),/.exec(String(greeting)) ?? []
  if (!url) throw new Error(`the server did not say where it is: ${greeting}`)
  return url
}

/** @param {string} url @param {string} topic @param {string} type @param {string} data */
async function publish(url, topic, type, data) {
  const query = new URLSearchParams({ topic, ...(type && { type }) })
  await fetch(`${url}/publish?${query}`, { method: 'POST', headers: { 'Content-Type': 'text/plain' }, body: data })
  // So that the picture does not show them all at the same moment.
  await new Promise((resolve) => setTimeout(resolve, 40 + 300 * Math.random()))
}

/** @param {import('playwright-core').Browser} browser @param {string} url @param {string} name
 * @param {import('playwright-core').BrowserContextOptions} options */
async function picture(browser, url, name, options) {
  const context = await browser.newContext({ ...options, reducedMotion: 'reduce' })
  const page = await context.newPage()
  await page.goto(url)
  await page.locator('#state[data-state=live]').waitFor()
  await page
    .locator('#events > li')
    .nth(events.length - 1)
    .waitFor()
  await page.locator('#count', { hasText: 'subscription' }).waitFor()
  await page.screenshot({ path: join(images, name) })
  await context.close()
}
