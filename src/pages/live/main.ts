// The live page in the browser: adds the event listeners, and starts to follow. The build bundles it and what it imports
// into one script.

import { showCount } from './count.ts'
import { dataBox, find, topicBox, topicsBox, typeBox } from './elements.ts'
import { follow, followAddress, stream, visibilityChanged } from './follow.ts'
import { publish } from './publish.ts'
import { clear, pauseButton, togglePause } from './show.ts'
import { copy, showCommands } from './terminal.ts'
import { useTokens } from './tokens.ts'
import { readTopics } from './topics.ts'

const countMs = 3_000

/** In a text area, Enter sends, Shift+Enter begins a line, and an Enter that ends an IME composition does neither. */
function sendOnEnter(event: KeyboardEvent): void {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
  event.preventDefault()
  ;(event.currentTarget as HTMLTextAreaElement).form?.requestSubmit()
}

function onSubmit(selector: string, act: () => void): void {
  find(selector).addEventListener('submit', (event) => {
    event.preventDefault()
    act()
  })
}

onSubmit('#follow', () => follow(readTopics(topicsBox.value)))
onSubmit('#publish', () => void publish())
onSubmit('#token', useTokens)
topicsBox.addEventListener('keydown', sendOnEnter)
dataBox.addEventListener('keydown', sendOnEnter)
for (const box of [topicBox, typeBox, dataBox]) box.addEventListener('input', showCommands)
pauseButton.addEventListener('click', togglePause)
find('#clear').addEventListener('click', clear)
for (const button of document.querySelectorAll<HTMLElement>('[data-copies]')) {
  button.addEventListener('click', () => void copy(button))
}
addEventListener('online', () => stream.connect())
addEventListener('pageshow', ({ persisted }) => persisted && stream.connect())
document.addEventListener('visibilitychange', visibilityChanged)
setInterval(showCount, countMs)

find<HTMLDetailsElement>('#terminal').open = matchMedia('(min-width: 60rem)').matches
followAddress()
