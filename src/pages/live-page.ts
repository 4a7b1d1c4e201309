// The live page, which shows the updates of topics and publishes to them.
import { type PageDocument, readPage } from './document.ts'

let page: PageDocument | undefined

/** Reads the page on the first call. A bundler that copies assets, such as that of Next.js, finds the file by this expression. */
export function livePage(): PageDocument {
  page ??= readPage(new URL('live/live.html', import.meta.url))
  return page
}
