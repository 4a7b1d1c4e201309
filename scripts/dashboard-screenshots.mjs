// Takes the pictures of the dashboard in docs/images: starts a server with two workers, opens 1,500 streams of which a few
// read slowly, publishes for five minutes so that the charts are full, and looks at it in Chromium. Needs dist/ to be
// built, and Chromium. `node scripts/dashboard-screenshots.mjs FOLDER SECONDS`
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { SignJWT } from 'jose'
import { chromium } from 'playwright-core'
import { findChromium } from './chromium.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const images = process.argv[2] ?? join(root, 'docs/images')
const seconds = Number(process.argv[3] ?? 300)
const streams = 1_500
const updatesPerSecond = 120
const key = 'a secret of these pictures, of more than 256 bits'
const people = [
  'ann',
  'ben',
  'cleo',
  'dan',
  'eva',
  'finn',
  'gia',
  'hugo',
  'ida',
  'jon',
  'kim',
  'leo',
  'mia',
  'nils',
  'ola'
]
const cities = ['berlin', 'oslo', 'lisbon', 'kyoto']
const retention = [
  { match: 'orders/{id}', last: 20 },
  { match: 'weather/{city}', last: 50 },
  { match: '*', age: '7d' }
]

let published = 0

const folder = mkdtempSync(join(tmpdir(), 'tidings-pictures-'))
const flags = ['--port', '0', '--workers', '2', '--store', './history', '--retention', JSON.stringify(retention)]
const server = spawn(process.execPath, [join(root, 'dist/cli/main.js'), 'serve', ...flags, '--slow-timeout', '5m'], {
  cwd: folder,
  env: { ...process.env, TIDINGS_PUBLISHER_KEY: key, TIDINGS_SUBSCRIBER_KEY: key, TIDINGS_DRAIN_TIMEOUT: '0' }
})
try {
  const port = await portOf(server)
  for (let index = 0; index < streams; index++) {
    await openStream(port, index)
    if (index % 50 === 0) await sleep(20)
  }
  const token = await sign({ sub: 'operator', mercure: { publish: ['*'], subscribe: ['*'], 'tidings:operate': true } })
  const publishing = setInterval(() => void publish(port, token).catch(console.error), 100)
  // Several readers, so that both workers take samples.
  const readers = new AbortController()
  for (let reader = 0; reader < 6; reader++) void watch(port, token, readers.signal)
  await sleep(seconds * 1_000)
  const browser = await chromium.launch({ executablePath: findChromium(), args: ['--no-sandbox', '--disable-gpu'] })
  try {
    await picture(browser, port, token, 'light', { viewport: { width: 1280, height: 860 } }, '#/overview')
    await picture(
      browser,
      port,
      token,
      'dark',
      { viewport: { width: 1280, height: 860 } },
      '#/streams?sort=lag&order=desc'
    )
    await picture(browser, port, token, 'phone', { viewport: { width: 390, height: 844 } }, '#/overview')
  } finally {
    await browser.close()
    clearInterval(publishing)
    readers.abort()
  }
} finally {
  server.kill('SIGKILL')
  await once(server, 'close')
  rmSync(folder, { recursive: true, force: true })
  process.exit()
}

/** @param {import('node:child_process').ChildProcessWithoutNullStreams} child */
async function portOf(child) {
  let text = ''
  for await (const chunk of child.stdout) {
    text += chunk
    const [, port] = /listening on http:\/\/[^:]+:(\d+)/.exec(text) ?? []
    if (port) {
      child.stdout.resume()
      return Number(port)
    }
  }
  throw new Error(`the server did not say where it is: ${text}`)
}

/** @param {object} claims */
function sign(claims) {
  return new SignJWT({ jti: crypto.randomUUID(), ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(key))
}

/** Every 211th stream reads everything, and slowly. @param {number} port @param {number} index */
async function openStream(port, index) {
  const isSlow = index % 211 === 5
  const token = await sign({ sub: `${people[index % people.length]}-${index}`, mercure: { subscribe: ['*'] } })
  const query = new URLSearchParams(topicsOf(index, isSlow).map((topic) => ['topic', topic]))
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write(`GET /subscribe?${query} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\n\r\n`)
  socket.resume()
  if (isSlow) setInterval(() => void readLater(socket), 50_000)
  else if (index % 50 === 0) setTimeout(() => socket.destroy(), Math.random() * seconds * 1_000)
  socket.once('close', () => setTimeout(() => void openStream(port, index), 2_000 * Math.random()))
}

/** @param {import('node:net').Socket} socket */
async function readLater(socket) {
  await sleep(8_000 * Math.random())
  socket.pause()
  await sleep(35_000)
  socket.resume()
}

/** @param {number} index @param {boolean} isSlow */
function topicsOf(index, isSlow) {
  if (isSlow) return ['*']
  if (index % 11 === 0) return ['news', ...Array.from({ length: 8 }, (_, more) => `orders/${(index + more) % 400}`)]
  return [index % 7 === 0 ? 'weather/{city}' : `orders/${index % 400}`, 'news']
}

/** @param {number} port @param {string} token */
async function publish(port, token) {
  const wave = 1 + 0.35 * Math.sin(Date.now() / 15_000) + 0.15 * Math.random()
  const lines = Array.from({ length: Math.round((updatesPerSecond / 10) * wave) }, () => JSON.stringify(update()))
  const headers = { 'Content-Type': 'application/x-ndjson', Authorization: `Bearer ${token}` }
  const answer = await fetch(`http://127.0.0.1:${port}/publish`, { method: 'POST', headers, body: lines.join('\n') })
  if (!answer.ok) throw new Error(await answer.text())
}

function update() {
  const number = published++
  const chance = Math.random()
  if (chance < 0.03)
    return { topic: `reports/${number % 7}`, type: 'report', data: { rows: '0123456789'.repeat(9_000) } }
  if (chance < 0.05) return { topic: 'news', type: 'headline', data: 'The market hall opens at nine on Saturday.' }
  if (chance < 0.2)
    return { topic: `weather/${cities[number % 4]}`, type: 'observation', data: { temperature: 15 + (number % 9) } }
  const type = ['placed', 'paid', 'shipped'][number % 3]
  return {
    topic: `orders/${Math.floor(400 * Math.random() ** 3)}`,
    type,
    data: { total: `${10 + (number % 90)}.00 EUR`, by: 'card' }
  }
}

/** @param {number} port @param {string} token @param {AbortSignal} signal */
async function watch(port, token, signal) {
  const headers = { Authorization: `Bearer ${token}` }
  const answer = await fetch(`http://127.0.0.1:${port}/dashboard/updates?topic=overview`, { headers, signal })
  await answer.text().catch(() => {})
}

/** @param {import('playwright-core').Browser} browser @param {number} port @param {string} token
 * @param {'light' | 'dark' | 'phone'} name @param {import('playwright-core').BrowserContextOptions} options @param {string} hash */
async function picture(browser, port, token, name, options, hash) {
  const context = await browser.newContext({ ...options, colorScheme: name === 'light' ? 'light' : 'dark' })
  await context.addInitScript((value) => sessionStorage.setItem('tidings.dashboard.token', value), token)
  const page = await context.newPage()
  await page.goto(`http://127.0.0.1:${port}/dashboard${hash}`)
  await page.locator('.connection[data-state=live]').waitFor()
  if (hash.startsWith('#/streams')) {
    await page.locator('.body [role=row]').nth(1).click()
    await page.locator('.recorder li').first().waitFor()
  }
  // So that the first values of the page itself are over.
  await sleep(4_000)
  await page.screenshot({ path: join(images, `dashboard-${name}.png`) })
  await context.close()
}
