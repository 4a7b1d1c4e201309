// examples/php and examples/symfony, with the PHP of the system.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { describeWith, headlessChromium, php, symfony } from '../support/requirements.ts'
import { freePort } from '../support/servers/free-port.ts'
import { launch, waiting } from '../support/servers/live-page.ts'
import { startServer } from '../support/servers/server.ts'

const hasPhp = await php()
const browser = 'path' in hasPhp ? await headlessChromium() : hasPhp

describeWith(browser, 'examples/php', (executablePath) => {
  it('shows what is published, also through its own form', async () => {
    const port = await freePort()
    const site = `http://127.0.0.1:${port}`
    const { url, kill } = await startServer({ args: ['--cors-origins', site] })
    onTestFinished(() => kill())
    const child = spawn('php', ['-S', `127.0.0.1:${port}`, '-t', 'examples/php'], {
      env: { ...process.env, HUB: url },
      stdio: ['ignore', 'ignore', 'pipe']
    })
    const ended = once(child, 'close')
    onTestFinished(async () => {
      child.kill()
      await ended
    })
    await once(child.stderr, 'data')
    const chromium = await launch(executablePath)
    onTestFinished(() => chromium.close())
    const pages = [await chromium.newPage(), await chromium.newPage()]
    for (const page of pages) await page.goto(site)
    const [writer, reader] = pages as [(typeof pages)[number], (typeof pages)[number]]
    const news = () => reader.locator('#news > li').allTextContents()
    await fetch(`${url}/publish?topic=news`, { method: 'POST', body: 'from a client' })
    await expect.poll(news, waiting).toEqual(['from a client'])
    await writer.getByLabel('News').fill('<b>from the form</b>')
    await writer.getByRole('button').click()
    await expect.poll(news, waiting).toEqual(['<b>from the form</b>', 'from a client'])
  })
})

const components = [
  hasPhp,
  await symfony('Mercure', 'php-symfony-mercure'),
  await symfony('HttpClient', 'php-symfony-http-client')
]

describeWith(components.find((found) => !('path' in found)) ?? hasPhp, 'examples/symfony', () => {
  it('receives what symfony/mercure publishes', async () => {
    const [, command = ''] = /```sh\n(.*?)\n```/s.exec(readFileSync('examples/symfony/README.md', 'utf8')) ?? []
    const env = { ...process.env, PORT: String(await freePort()) }
    const { stdout } = await promisify(execFile)('bash', ['-c', command], { env })
    expect(stdout).toMatch(/^published #\S+\ndata: {"title":"Les Mis\\u00e9rables"}\n$/)
  })
})
