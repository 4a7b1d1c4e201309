// Shows the number of subscriptions, if the server tells it.
import { find } from './elements.ts'

/** Whether the server refuses to show the number. */
let isHidden = false

export async function showCount(): Promise<void> {
  if (document.hidden || isHidden) return
  const answer = await fetch('debug?limit=0', { headers: { Accept: 'application/json' } }).catch(() => undefined)
  isHidden = answer?.status === 401 || answer?.status === 403
  if (!answer?.ok) return
  const { subscribers } = (await answer.json()) as { subscribers: number }
  find('#count').textContent = `${subscribers.toLocaleString('en')} subscription${subscribers === 1 ? '' : 's'}`
}

/** Asks again after a refusal, because the token is another one. */
export function allowCount(): void {
  isHidden = false
}
