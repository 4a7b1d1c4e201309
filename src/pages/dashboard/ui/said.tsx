// Says the result of an action at the bottom of the page, also to screen readers.
import { Store, useStore } from '../data/store.ts'

const shownMs = 6_000
const text = new Store('')
let timer: ReturnType<typeof setTimeout> | undefined

export function say(sentence: string): void {
  clearTimeout(timer)
  text.set(sentence)
  timer = setTimeout(() => text.set(''), shownMs)
}

export function Said() {
  return (
    <p class="said" role="status">
      {useStore(text)}
    </p>
  )
}
