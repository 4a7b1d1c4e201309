// The dashboard in a browser: opens it, and records what must not happen. It verifies nothing.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Browser, Page } from 'playwright-core'
import { expect, onTestFinished } from 'vitest'
import { waiting } from '../servers/live-page.ts'

export type View = 'Overview' | 'Streams' | 'Topics' | 'Events' | 'Server'
export const viewNames: readonly View[] = ['Overview', 'Streams', 'Topics', 'Events', 'Server']

export interface DashboardOptions {
  /** The view, such as `#/streams`. */
  readonly hash?: string
  /** What an operator entered before. */
  readonly token?: string
  readonly width?: number
  readonly colorScheme?: 'light' | 'dark'
}

export interface DashboardPage {
  readonly page: Page
  /** Console errors, script errors, violations of the Content-Security-Policy, and requests to other hosts. */
  readonly complaints: string[]
  show(view: View): Promise<void>
  /** The large value of a card of the overview. */
  value(metric: string): Promise<string>
  /** The text of each row of the table of streams that is rendered, cells separated by tabs. */
  rows(): Promise<string[]>
  /** Fills the filter of the view. */
  filter(text: string): Promise<void>
}

declare global {
  interface Window {
    violations: string[]
  }
}

/** Opens the dashboard, and closes it when the test ends. */
export async function openDashboard(
  browser: Browser,
  url: string,
  { hash = '', token, width = 1440, colorScheme = 'light' }: DashboardOptions = {}
): Promise<DashboardPage> {
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme, reducedMotion: 'reduce' })
  onTestFinished(() => page.close())
  const complaints = complaintsOf(page, new URL(url).host)
  await page.addInitScript(() => {
    window.violations = []
    addEventListener('securitypolicyviolation', (event) => window.violations.push(event.violatedDirective))
  })
  if (token) await page.addInitScript((value) => sessionStorage.setItem('tidings.dashboard.token', value), token)
  await page.goto(`${url}/dashboard${hash}`)
  return {
    page,
    complaints,
    async show(view) {
      await page.getByRole('navigation').getByRole('link', { name: view }).click()
      await page.getByRole('heading', { level: 1, name: view }).waitFor()
    },
    async value(metric) {
      return (await page.locator(`[data-metric="${metric}"] .now b`).textContent()) ?? ''
    },
    rows() {
      return page
        .locator('[role=grid] .body [role=row]')
        .evaluateAll((rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent).join('\t')))
    },
    async filter(text) {
      await page.locator('[data-filter]').fill(text)
    }
  }
}

function complaintsOf(page: Page, host: string): string[] {
  const complaints: string[] = []
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('request', (request) => {
    const { protocol, host: asked } = new URL(request.url())
    if (protocol !== 'data:' && asked !== host) complaints.push(`a request to ${asked}`)
  })
  return complaints
}

export async function isLive({ page }: DashboardPage): Promise<void> {
  await expect.poll(() => page.locator('.connection').textContent(), waiting).toBe('Live')
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

interface AxeWindow {
  axe: {
    run(options: object): Promise<{ violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }>
  }
}

/** What axe-core objects to, one line for each element. The page's policy allows no script, so the browser injects it. */
export async function accessibilityIssues({ page }: DashboardPage): Promise<string[]> {
  await page.evaluate(axe)
  return page.evaluate(async () => {
    const { violations } = await (window as unknown as AxeWindow).axe.run({ resultTypes: ['violations'] })
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary}`)
    )
  })
}
