// Puts the live page together: one document, with its style and script inside and allowed by their hashes alone. It knows
// nothing of the hub.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

export interface LivePage {
  readonly html: string
  /** The Content-Security-Policy under which this document works, and no other. */
  readonly policy: string
}

let page: LivePage | undefined

/** The page, read and put together once. */
export function livePage(): LivePage {
  page ??= build(read('live.html'), read('live.css'), read('live.browser.js'))
  return page
}

function read(name: string): string {
  return readFileSync(new URL(name, import.meta.url), 'utf8')
}

function build(html: string, style: string, script: string): LivePage {
  const policy = [
    "default-src 'none'",
    `script-src '${hashOf(script)}'`,
    `style-src '${hashOf(style)}'`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'"
  ]
  const whole = html
    .replace('<link rel="stylesheet" href="live.css">', () => `<style>${style}</style>`)
    .replace('<script type="module" src="live.browser.js"></script>', () => `<script type="module">${script}</script>`)
  return { html: whole, policy: policy.join('; ') }
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`
}
