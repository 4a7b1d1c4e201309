// Tells the user in a sentence what happened.
import { find } from './elements.ts'

export function say(selector: string, text: string, kind = 'note'): void {
  const element = find(selector)
  element.textContent = text
  element.dataset.kind = kind
}

/** Shows why the server refused, and opens the token form if the server requires a token. */
export async function sayRefusal(selector: string, answer: Response): Promise<void> {
  if (answer.status === 401 || answer.status === 403) find<HTMLDetailsElement>('#tokens').open = true
  say(selector, await sentenceOf(answer), 'error')
}

async function sentenceOf(answer: Response): Promise<string> {
  const text = await answer.text().catch(() => '')
  const isSentence = answer.headers.get('Content-Type')?.startsWith('text/plain') && text.trim()
  return isSentence || `The server answered ${answer.status} ${answer.statusText}.`
}
