// The dashboard's page, as the build makes it. It holds no data, which its script fetches.
import { readFileSync } from 'node:fs'
import { type PageDocument, withPolicy } from './document.ts'

let page: PageDocument | undefined

/** Reads the page on the first call; undefined if the build did not make it. */
export function dashboardPage(): PageDocument | undefined {
  try {
    page ??= withPolicy(readFileSync(new URL('dashboard/dashboard.html', import.meta.url), 'utf8'))
    return page
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
