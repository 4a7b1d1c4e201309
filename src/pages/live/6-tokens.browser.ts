// The tokens that the page shows where the server wants them. It does not read them.

const readToken = find<HTMLInputElement>('#token-read')
const publishToken = find<HTMLInputElement>('#token-publish')

/** An EventSource sends no header of ours, so what it reads with goes as a cookie, which ends with the browser. */
function useTokens(): void {
  for (const name of ['mercureAuthorization', '__Secure-mercure_access_token']) {
    const secure = name.startsWith('__Secure-') ? '; Secure' : ''
    const age = readToken.value ? '' : '; Max-Age=0'
    // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not in every browser that EventSource is in
    document.cookie = `${name}=${encode(readToken.value.trim())}; Path=${new URL(baseUrl).pathname}; SameSite=Strict${secure}${age}`
  }
  isCountHidden = false
  failures = 0
  say('#publish-said', '')
  say('#follow-said', '')
  showCommands()
  connect()
}

/** Shows where to put a token once the server has asked for one. */
function wantToken(status: number): void {
  if (status === 401 || status === 403) find<HTMLDetailsElement>('#tokens').open = true
}
