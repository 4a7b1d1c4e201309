// The token to read with, which the page sends as a cookie.
import { baseUrl, encode } from './address.ts'
import { allowCount } from './count.ts'
import { readToken } from './elements.ts'
import { stream } from './follow.ts'
import { say } from './say.ts'
import { showCommands } from './terminal.ts'

/** The token to read with is a session cookie, so that a reload of the page keeps it. */
export function useTokens(): void {
  for (const name of ['mercureAuthorization', '__Secure-mercure_access_token']) {
    const secure = name.startsWith('__Secure-') ? '; Secure' : ''
    const age = readToken.value ? '' : '; Max-Age=0'
    // biome-ignore lint/suspicious/noDocumentCookie: some browsers have no Cookie Store API
    document.cookie = `${name}=${encode(readToken.value.trim())}; Path=${new URL(baseUrl).pathname}; SameSite=Strict${secure}${age}`
  }
  allowCount()
  say('#publish-said', '')
  say('#follow-said', '')
  showCommands()
  stream.connect()
}
