// The live page in the browser: shows events as they arrive, and publishes. Whatever it is sent is text and stays text. It
// knows the simple endpoints, and nothing of what is behind them.

/** An event as the stream's JSON envelope tells it. */
interface Envelope {
  readonly topics: readonly string[]
  readonly id: string
  readonly type: string
  readonly data: string
  readonly time: number
}

interface Gap {
  readonly requested: string
  readonly resumedAfter: string
  readonly reason: 'unknown' | 'epoch' | 'trimmed'
}

const shownAtFirst = 20
/** Events kept on the page, and as many more while it is paused. */
const mostKept = 500
const pollMs = 3_000
const backoff = { firstMs: 1_000, mostMs: 30_000 }
/** A publisher can tell browsers to wait up to a day before they reconnect; a person will not. */
const patienceMs = 15_000
/** A connection may have died unnoticed while the page was away for so long. */
const longAwayMs = 30_000

const gaps: Record<Gap['reason'], string> = {
  unknown:
    'A gap: the server does not know the event seen last, so some may be missing here. It goes on with what is new.',
  epoch:
    'A gap: the log has started over, so some events may be missing here. It goes on with the first of the new log.',
  trimmed:
    'A gap: some events are missing here, because the server no longer keeps them. It goes on with the oldest it has.'
}

const stateBox = find('#state')
const list = find('#events')
const topicsBox = find<HTMLTextAreaElement>('#topics')
const topicBox = find<HTMLInputElement>('#topic')
const typeBox = find<HTMLInputElement>('#type')
const dataBox = find<HTMLTextAreaElement>('#data')
const pauseButton = find('#pause')

let topics = new URLSearchParams(location.search).getAll('topic').filter((topic) => topic !== '')
let source: EventSource | undefined
/** The id to go on after; empty until the first event of these topics. */
let lastId = ''
/** Whether these topics have been live before. */
let hasOpened = false
let failures = 0
let retryTimer = 0
let hiddenSince = 0
/** What arrived while paused. */
let held: HTMLElement[] | undefined

function find<Kind extends HTMLElement>(selector: string): Kind {
  return document.querySelector(selector) as Kind
}

// Following

/** Opens the stream where the last one ended, so that nothing is missed and nothing comes twice. */
function connect(): void {
  clearTimeout(retryTimer)
  source?.close()
  tellState(hasOpened ? 'reconnecting' : 'connecting')
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
  source = opened
}

/** The browser resumes from `Last-Event-ID` by itself; the address only says where a new EventSource begins. */
function streamPath(): string {
  const parameters = topics.map((topic) => `topic=${encode(topic)}`)
  if (lastId) parameters.push(`last_event_id=${encode(lastId)}`)
  // These topics had no history when they were opened: whatever there is now is new.
  else if (hasOpened) parameters.push('last_event_id=earliest')
  else parameters.push(`last=${shownAtFirst}`)
  return `/subscribe?${parameters.join('&')}&envelope=json`
}

function live(): void {
  clearTimeout(retryTimer)
  hasOpened = true
  failures = 0
  tellState('live')
  say('#follow-said', '')
  void poll()
}

function lost(from: EventSource): void {
  clearTimeout(retryTimer)
  tellState(hasOpened ? 'reconnecting' : 'connecting')
  if (from.readyState !== EventSource.CLOSED) {
    retryTimer = setTimeout(connect, patienceMs)
    return
  }
  // The browser has given up, as it does for any answer but 200.
  const wait = Math.min(backoff.mostMs, backoff.firstMs * 2 ** failures++)
  retryTimer = setTimeout(connect, wait * (0.5 + Math.random() / 2))
  void explainRefusal(from)
}

/** An EventSource does not say why it was refused; the same request by hand does. */
async function explainRefusal({ url }: EventSource): Promise<void> {
  const answer = await fetch(url).catch(() => undefined)
  if (!answer) return
  if (answer.ok) await answer.body?.cancel()
  else say('#follow-said', await sentenceOf(answer), 'error')
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

/** Commas and line ends separate topics, but for commas within the braces of a template. */
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

function tellState(state: 'connecting' | 'live' | 'reconnecting'): void {
  if (stateBox.dataset.state === state) return
  stateBox.dataset.state = state
  stateBox.textContent = { connecting: 'Connecting…', live: 'Live', reconnecting: 'Reconnecting…' }[state]
}

async function poll(): Promise<void> {
  if (document.hidden) return
  const answer = await fetch('/debug?limit=0', { headers: { Accept: 'application/json' } }).catch(() => undefined)
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
  if (source?.readyState !== EventSource.OPEN || Date.now() - hiddenSince > longAwayMs) connect()
}

// Showing

function renderEvent({ topics: [topic, ...others], id, type, data, time }: Envelope): HTMLElement {
  const item = stamp('#event')
  const part = (selector: string, text: string) => {
    const element = item.querySelector(selector) as HTMLElement
    element.textContent = text
    return element
  }
  part('.topics', [topic, ...others].join(', '))
  part('.type', type).dataset.type = type
  part('.id', id)
  part('.data', data)
  const date = new Date(time)
  const when = part('time', shortTime(date)) as HTMLTimeElement
  when.dateTime = date.toISOString()
  when.title = date.toLocaleString()
  return item
}

/** The time of day to the millisecond, and the day where it is not today. */
function shortTime(date: Date): string {
  const two = (value: number) => String(value).padStart(2, '0')
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')
  const isToday = date.toDateString() === new Date().toDateString()
  const day = isToday ? '' : `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} `
  return `${day}${clock}.${String(date.getMilliseconds()).padStart(3, '0')}`
}

function renderGap({ requested, resumedAfter, reason }: Gap): HTMLElement {
  const item = stamp('#gap')
  const [sentence, ids] = item.children as unknown as [HTMLElement, HTMLElement]
  sentence.textContent = gaps[reason]
  ids.textContent = `after ${requested}, now after ${resumedAfter}`
  return item
}

function stamp(template: string): HTMLElement {
  const { content } = document.querySelector(template) as HTMLTemplateElement
  return (content.firstElementChild as HTMLElement).cloneNode(true) as HTMLElement
}

function add(item: HTMLElement): void {
  if (!held) {
    list.prepend(item)
    if (list.childElementCount > mostKept) list.lastElementChild?.remove()
    return
  }
  held.push(item)
  if (held.length > mostKept) held.shift()
  pauseButton.textContent = `Resume (${held.length} new)`
}

function togglePause(): void {
  if (held) {
    resume()
    return
  }
  held = []
  pauseButton.textContent = 'Resume'
}

function resume(): void {
  const waiting = held ?? []
  held = undefined
  pauseButton.textContent = 'Pause'
  for (const item of waiting) add(item)
}

function clear(): void {
  list.replaceChildren()
  if (!held) return
  held = []
  pauseButton.textContent = 'Resume'
}

// Publishing

function publishPath(): string {
  const type = typeBox.value && `&type=${encode(typeBox.value)}`
  return `/publish?topic=${encode(topicBox.value || topicBox.placeholder)}${type}`
}

/** The text stays in the box until the server has it. */
async function publish(): Promise<void> {
  if (dataBox.readOnly) return
  dataBox.readOnly = true
  const headers = { 'Content-Type': 'text/plain' }
  const answer = await fetch(publishPath(), { method: 'POST', headers, body: dataBox.value }).catch(() => undefined)
  dataBox.readOnly = false
  if (!answer) say('#publish-said', 'The server could not be reached, so this was not published. Try again.', 'error')
  else if (!answer.ok) say('#publish-said', await sentenceOf(answer), 'error')
  else {
    say('#publish-said', `Published to ${topicBox.value || topicBox.placeholder}.`)
    dataBox.value = ''
    showCommands()
  }
}

async function sentenceOf(answer: Response): Promise<string> {
  const text = await answer.text().catch(() => '')
  const isSentence = answer.headers.get('Content-Type')?.startsWith('text/plain') && text.trim()
  return isSentence || `The server answered ${answer.status} ${answer.statusText}.`
}

function say(selector: string, text: string, kind = 'note'): void {
  const element = find(selector)
  element.textContent = text
  element.dataset.kind = kind
}

// The same from a terminal

function showCommands(): void {
  const query = topics.map((topic) => `topic=${encode(topic)}`).join('&')
  find('#curl-follow').textContent = `curl -N ${quote(`${location.origin}/subscribe${query && `?${query}`}`)}`
  const data = quote(dataBox.value || dataBox.placeholder)
  const address = quote(location.origin + publishPath())
  find('#curl-publish').textContent = `curl ${address} \\\n  -H 'Content-Type: text/plain' \\\n  --data-raw ${data}`
}

/** Within single quotes a shell leaves everything as it is, but for a single quote. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

/** A value for a query, with what may stand there left readable. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(/%(2F|3A|40)/g, decodeURIComponent)
}

async function copy(button: HTMLElement): Promise<void> {
  const command = find(`#${button.dataset.copies}`)
  // Browsers lend the clipboard to pages on HTTPS and localhost alone; elsewhere the old way has to do.
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

/** In a box of several lines, Enter sends and Shift+Enter begins a line; an Enter that ends a composition does neither. */
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
