// Publishes the text in the box.
import { publishPath, publishTopic } from './address.ts'
import { dataBox, publishToken } from './elements.ts'
import { stream } from './follow.ts'
import { say, sayRefusal } from './say.ts'
import { showCommands } from './terminal.ts'

/** The text remains in the box until the server has accepted it. */
export async function publish(): Promise<void> {
  if (dataBox.readOnly) return
  dataBox.readOnly = true
  const token = publishToken.value.trim()
  const headers = { 'Content-Type': 'text/plain', ...(token && { Authorization: `Bearer ${token}` }) }
  const answer = await fetch(publishPath(), { method: 'POST', headers, body: dataBox.value }).catch(() => undefined)
  dataBox.readOnly = false
  if (!answer) say('#publish-said', 'The server cannot be reached. Try again.', 'error')
  else if (!answer.ok) await sayRefusal('#publish-said', answer)
  else {
    say('#publish-said', `Published to ${publishTopic()}.`)
    dataBox.value = ''
    if (stream.hasEnded) stream.connect()
    showCommands()
  }
}
