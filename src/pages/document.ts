// A document with inline style and script, which the build makes, and a Content-Security-Policy that allows only those.
import { createHash } from 'node:crypto'

export interface PageDocument {
  readonly html: string
  /** The Content-Security-Policy of the document, which contains the hashes of its style and script. */
  readonly policy: string
}

export function withPolicy(html: string): PageDocument {
  const [, style = '', script = ''] = /<style>(.*?)<\/style>.*<script type="module">(.*?)<\/script>/s.exec(html) ?? []
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
  return { html, policy: policy.join('; ') }
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`
}
