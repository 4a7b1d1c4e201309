// Shows the terminal commands for what the page does, and copies them.

function showCommands(): void {
  const query = topics.map((topic) => `topic=${encode(topic)}`).join('&')
  const bearer = (token: HTMLInputElement) => (token.value ? ` \\\n  -H "Authorization: Bearer $TOKEN"` : '')
  find('#curl-follow').textContent =
    `curl -N ${quote(`${baseUrl}subscribe${query && `?${query}`}`)}${bearer(readToken)}`
  const data = quote(dataBox.value || dataBox.placeholder)
  const address = quote(baseUrl + publishPath())
  find('#curl-publish').textContent =
    `curl ${address} \\\n  -H 'Content-Type: text/plain'${bearer(publishToken)} \\\n  --data-raw ${data}`
}

/** In single quotes, a shell interprets only the single quote. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

/** Encodes a value for a query, and leaves allowed characters readable. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(/%(2F|3A|40)/g, decodeURIComponent)
}

async function copy(button: HTMLElement): Promise<void> {
  const command = find(`#${button.dataset.copies}`)
  // The clipboard API exists only on HTTPS and localhost. `execCommand` works elsewhere.
  const written = navigator.clipboard?.writeText(command.textContent ?? '')
  const isCopied =
    written &&
    (await written.then(
      () => true,
      () => false
    ))
  if (!isCopied) {
    getSelection()?.selectAllChildren(command)
    document.execCommand('copy')
  }
  const label = button.firstChild as Text
  label.data = 'Copied'
  say('#copied', 'Copied')
  setTimeout(() => {
    label.data = 'Copy'
    say('#copied', '')
  }, 2_000)
}
