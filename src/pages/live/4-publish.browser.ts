// Publishes the text in the box.

function publishPath(): string {
  const type = typeBox.value && `&type=${encode(typeBox.value)}`
  return `publish?topic=${encode(topicBox.value || topicBox.placeholder)}${type}`
}

/** The text remains in the box until the server has accepted it. */
async function publish(): Promise<void> {
  if (dataBox.readOnly) return
  dataBox.readOnly = true
  const token = publishToken.value.trim()
  const headers = { 'Content-Type': 'text/plain', ...(token && { Authorization: `Bearer ${token}` }) }
  const answer = await fetch(publishPath(), { method: 'POST', headers, body: dataBox.value }).catch(() => undefined)
  dataBox.readOnly = false
  if (!answer) say('#publish-said', 'The server cannot be reached. Try again.', 'error')
  else if (!answer.ok) {
    openTokenForm(answer.status)
    say('#publish-said', await sentenceOf(answer), 'error')
  } else {
    say('#publish-said', `Published to ${topicBox.value || topicBox.placeholder}.`)
    dataBox.value = ''
    if (hasEnded) connect()
    showCommands()
  }
}
