// The tokens that the page sends.

const readToken = find<HTMLInputElement>('#token-read')
const publishToken = find<HTMLInputElement>('#token-publish')

/** An EventSource cannot set headers, so the token to read with is a session cookie. */
function useTokens(): void {
  for (const name of ['mercureAuthorization', '__Secure-mercure_access_token']) {
    const secure = name.startsWith('__Secure-') ? '; Secure' : ''
    const age = readToken.value ? '' : '; Max-Age=0'
    // biome-ignore lint/suspicious/noDocumentCookie: some browsers with EventSource have no Cookie Store API
    document.cookie = `${name}=${encode(readToken.value.trim())}; Path=${new URL(baseUrl).pathname}; SameSite=Strict${secure}${age}`
  }
  isCountHidden = false
  failures = 0
  say('#publish-said', '')
  say('#follow-said', '')
  showCommands()
  connect()
}

/** Opens the token form if the server requires a token. */
function openTokenForm(status: number): void {
  if (status === 401 || status === 403) find<HTMLDetailsElement>('#tokens').open = true
}
