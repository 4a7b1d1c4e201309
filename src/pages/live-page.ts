// Builds the live page: one document with inline style and script, and a Content-Security-Policy that allows only
// those.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

export interface LivePage {
  readonly html: string
  /** The Content-Security-Policy of the document, which contains the hashes of its style and script. */
  readonly policy: string
}

let page: LivePage | undefined

/** Builds the page on the first call. */
export function livePage(): LivePage {
  page ??= build(read('live.html'), read('live.css'), script())
  return page
}

const folder = new URL('live/', import.meta.url)

function read(name: string): string {
  return readFileSync(new URL(name, folder), 'utf8')
}

/** The bundle of the build. A `</script` in it would end the element; in JavaScript, the escaped form means the same. */
function script(): string {
  return read('live.js').replace(/<\/(?=script)/gi, '<\\/')
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
    .replace('<script type="module" src="live.js"></script>', () => `<script type="module">${script}</script>`)
  return { html: whole, policy: policy.join('; ') }
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`
}
