// Adds the event listeners, and starts the page.

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
addEventListener('online', connect)
addEventListener('pageshow', ({ persisted }) => persisted && connect())
document.addEventListener('visibilitychange', visibilityChanged)
setInterval(poll, pollMs)

find<HTMLDetailsElement>('#terminal').open = matchMedia('(min-width: 60rem)').matches
showTopics()
connect()
