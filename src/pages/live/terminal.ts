// Shows the terminal commands for what the page does, and copies them.
import { baseUrl, publishPath, queryOf } from './address.ts'
import { dataBox, find, publishToken, readToken } from './elements.ts'
import { say } from './say.ts'
import { followedTopics } from './topics.ts'

export function showCommands(): void {
  const bearer = (token: HTMLInputElement) => (token.value ? ` \\\n  -H "Authorization: Bearer $TOKEN"` : '')
  const stream = quote(`${baseUrl}subscribe${queryOf(followedTopics())}`)
  find('#curl-follow').textContent = `curl -N ${stream}${bearer(readToken)}`
  const data = quote(dataBox.value || dataBox.placeholder)
  const address = quote(baseUrl + publishPath())
  find('#curl-publish').textContent =
    `curl ${address} \\\n  -H 'Content-Type: text/plain'${bearer(publishToken)} \\\n  --data-raw ${data}`
}

/** In single quotes, a shell interprets only the single quote. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

export async function copy(button: HTMLElement): Promise<void> {
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
