// The live page, as the build makes it.
import { readFileSync } from 'node:fs'
import { type PageDocument, withPolicy } from './document.ts'

let page: PageDocument | undefined

/** Reads the page on the first call. A bundler that copies assets, such as that of Next.js, finds the file by this expression. */
export function livePage(): PageDocument {
  page ??= withPolicy(readFileSync(new URL('live/live.html', import.meta.url), 'utf8'))
  return page
}
