// Follows topics: opens the stream, resumes it, and shows its state.

/** Opens the stream where the last one ended, so that no event is missed or repeated. */
function connect(): void {
  clearTimeout(retryTimer)
  source?.close()
  hasEnded = false
  showState(hasOpened ? 'reconnecting' : 'connecting')
  const opened = new EventSource(streamPath())
  opened.onopen = live
  opened.onerror = () => lost(opened)
  opened.onmessage = (event) => {
    lastId = event.lastEventId
    add(renderEvent(JSON.parse(event.data) as Envelope))
  }
  opened.addEventListener('tidings:gap', (event) => {
    lastId = event.lastEventId
    add(renderGap(JSON.parse(event.data) as Gap))
  })
  opened.addEventListener('tidings:deleted', (event) => {
    lastId = event.lastEventId
    add(renderDeletion(JSON.parse(event.data) as Deletion))
  })
  source = opened
}

/** The URL sets where a new EventSource begins. The browser itself resumes with `Last-Event-ID`. */
function streamPath(): string {
  const parameters = topics.map((topic) => `topic=${encode(topic)}`)
  if (lastId) parameters.push(`last_event_id=${encode(lastId)}`)
  // The topics had no history when they were opened, so all of their history is new.
  else if (hasOpened) parameters.push('last_event_id=earliest')
  else parameters.push(`last=${shownAtFirst}`)
  return `subscribe?${parameters.join('&')}&envelope=json`
}

function live(): void {
  clearTimeout(retryTimer)
  hasOpened = true
  failures = 0
  showState('live')
  say('#follow-said', '')
  void poll()
}

function lost(from: EventSource): void {
  clearTimeout(retryTimer)
  showState(hasOpened ? 'reconnecting' : 'connecting')
  if (from.readyState !== EventSource.CLOSED) {
    retryTimer = setTimeout(connect, reconnectTimeoutMs)
    return
  }
  // The browser gives up after any status except 200.
  const wait = Math.min(backoff.maxMs, backoff.firstMs * 2 ** failures++)
  retryTimer = setTimeout(connect, wait * (0.5 + Math.random() / 2))
  void explainRefusal(from)
}

/** An EventSource hides why it was refused, so the same request is sent with `fetch`. */
async function explainRefusal(from: EventSource): Promise<void> {
  const answer = await fetch(from.url).catch(() => undefined)
  if (!answer) return
  if (answer.status === 204) showEnd(from)
  else if (answer.ok) await answer.body?.cancel()
  else {
    openTokenForm(answer.status)
    say('#follow-said', await sentenceOf(answer), 'error')
  }
}

/** The server answers 204 when all topics have ended and nothing is left to receive. */
function showEnd(from: EventSource): void {
  if (from !== source) return
  clearTimeout(retryTimer)
  hasEnded = true
  showState('ended')
  say('#follow-said', 'All topics have ended. Publishing to one of them reopens it.')
}

function follow(chosen: string[]): void {
  topics = chosen
  lastId = ''
  hasOpened = false
  failures = 0
  const query = topics.map((topic) => `topic=${encode(topic)}`).join('&')
  history.replaceState(null, '', query ? `?${query}` : location.pathname)
  resume()
  list.replaceChildren()
  say('#follow-said', '')
  showTopics()
  connect()
}

/** Commas and line ends separate topics, except commas in the braces of a template. */
function readTopics(text: string): string[] {
  const parts = text.split(/[\n,](?![^{}\n]*\})/).map((topic) => topic.trim())
  return [...new Set(parts)].filter((topic) => topic !== '')
}

function showTopics(): void {
  topicsBox.value = topics.join('\n')
  topicBox.placeholder = topics.find((topic) => topic !== '*' && !topic.includes('{')) ?? 'default'
  find('#following').textContent = topics.length > 0 ? `on ${topics.join(', ')}` : 'on every topic'
  document.title = topics.length > 0 ? `${topics.join(', ')} · tidings` : 'tidings'
  showCommands()
}

function showState(state: 'connecting' | 'live' | 'reconnecting' | 'ended'): void {
  if (stateBox.dataset.state === state) return
  stateBox.dataset.state = state
  const texts = { connecting: 'Connecting…', live: 'Live', reconnecting: 'Reconnecting…', ended: 'Ended' }
  stateBox.textContent = texts[state]
}

async function poll(): Promise<void> {
  if (document.hidden || isCountHidden) return
  const answer = await fetch('debug?limit=0', { headers: { Accept: 'application/json' } }).catch(() => undefined)
  isCountHidden = answer?.status === 401 || answer?.status === 403
  if (!answer?.ok) return
  const { subscribers } = (await answer.json()) as { subscribers: number }
  find('#count').textContent = `${subscribers.toLocaleString('en')} subscription${subscribers === 1 ? '' : 's'}`
}

function visibilityChanged(): void {
  if (document.hidden) {
    hiddenSince = Date.now()
    return
  }
  void poll()
  if (hasEnded) return
  if (source?.readyState !== EventSource.OPEN || Date.now() - hiddenSince > maxHiddenMs) connect()
}
