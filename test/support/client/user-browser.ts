// Chromium as a user has it. Playwright's own disables the back/forward cache, and pretends that every page is visible.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, chromium } from 'playwright-core'
import { onTestFinished } from 'vitest'
import { args } from '../servers/live-page.ts'

/** Starts a browser without a window, and returns its only context. It is stopped when the test ends. */
export async function userBrowser(executablePath: string): Promise<BrowserContext> {
  const profile = mkdtempSync(join(tmpdir(), 'tidings-browser-'))
  const flags = [...args, '--headless', '--remote-debugging-port=0', `--user-data-dir=${profile}`, 'about:blank']
  const child = spawn(executablePath, flags, { stdio: ['ignore', 'ignore', 'pipe'] })
  const gone = once(child, 'close')
  onTestFinished(async () => {
    child.kill()
    await gone
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
  })
  let output = ''
  const endpoint = await new Promise<string>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      output += chunk
      const [, found] = /DevTools listening on (ws:\S+)/.exec(output) ?? []
      if (found) resolve(found)
    })
    child.once('close', () => reject(new Error(`the browser ended; it printed:\n${output}`)))
    child.once('error', reject)
  })
  const browser = await chromium.connectOverCDP(endpoint, { noDefaults: true })
  onTestFinished(() => browser.close())
  return browser.contexts()[0] as BrowserContext
}
