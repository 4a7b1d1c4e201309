// The live page in the browser: what its parts share. The parts are scripts that are put together, in order, into one that
// the page holds, so they see each other's functions without importing them.

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

/** The URL below which the endpoints of the hub are. It ends with a slash. */
const baseUrl = new URL('.', location.href).href
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
/** Whether the server does not tell this page how many there are. */
let isCountHidden = false
let hiddenSince = 0
/** What arrived while paused. */
let held: HTMLElement[] | undefined

function find<Kind extends HTMLElement>(selector: string): Kind {
  return document.querySelector(selector) as Kind
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
