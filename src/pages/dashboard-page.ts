// The page of the operators' dashboard. It contains no data: it requests them with the token that the operator enters.
import { type PageDocument, readPage } from './document.ts'

let page: PageDocument | undefined

/** Reads the page on the first call. A bundler that copies assets, such as that of Next.js, finds the file by this expression. */
export function dashboardPage(): PageDocument {
  page ??= readPage(new URL('dashboard/dashboard.html', import.meta.url))
  return page
}
