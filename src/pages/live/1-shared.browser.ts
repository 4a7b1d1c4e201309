// The live page in the browser: what its parts share. The build joins the parts, in order, into one script, so they use
// each other's functions without importing them.

/** An event in a stream with `envelope=json`. */
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

interface Deletion {
  readonly topics: readonly string[]
  readonly id?: string
}

/** The URL below which the endpoints of the hub are. It ends with a slash. */
const baseUrl = new URL('.', location.href).href
const shownAtFirst = 20
/** Events that the page keeps, and as many more while it is paused. */
const maxEvents = 500
const pollMs = 3_000
const backoff = { firstMs: 1_000, maxMs: 30_000 }
/**
 * A publisher can set the reconnection time of browsers to a day. The page reconnects after this time at the latest.
 */
const reconnectTimeoutMs = 15_000
/** A page that was hidden for longer reconnects, since its connection may be broken without notice. */
const maxHiddenMs = 30_000

const gaps: Record<Gap['reason'], string> = {
  unknown:
    'A gap: the server does not know the last event of this page, so events may be missing here. New events follow.',
  epoch: 'A gap: the log has started over, so events may be missing here. The events of the new log follow.',
  trimmed: 'A gap: events are missing here, because the server no longer keeps them. The oldest kept events follow.'
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
/** The id to continue after; empty until the first event of these topics. */
let lastId = ''
/** Whether a stream of these topics was open before. */
let hasOpened = false
let failures = 0
/** Whether all topics have ended, so that the page does not reconnect automatically. */
let hasEnded = false
let retryTimer = 0
/** Whether the server refuses to show the number of subscriptions. */
let isCountHidden = false
let hiddenSince = 0
/** Events that arrived while the page is paused; undefined if it is not. */
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
