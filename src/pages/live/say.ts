// Tells the user in a sentence what happened.
import { find } from './elements.ts'

export function say(selector: string, text: string, kind = 'note'): void {
  const element = find(selector)
  element.textContent = text
  element.dataset.kind = kind
}

/** Shows why something failed, and opens the token form if the server requires a token. */
export function sayFailure(selector: string, status: number, sentence: string): void {
  if (status === 401 || status === 403) find<HTMLDetailsElement>('#tokens').open = true
  say(selector, sentence, 'error')
}

export async function sayRefusal(selector: string, answer: Response): Promise<void> {
  sayFailure(selector, answer.status, await sentenceOf(answer))
}

async function sentenceOf(answer: Response): Promise<string> {
  const text = await answer.text().catch(() => '')
  const isSentence = answer.headers.get('Content-Type')?.startsWith('text/plain') && text.trim()
  return isSentence || `The server answered ${answer.status} ${answer.statusText}.`
}
