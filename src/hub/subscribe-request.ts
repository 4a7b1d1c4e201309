// What a client asks for when it subscribes, and the rules that a request has to follow.
import { TidingsError } from '../errors.ts'
import { compile, type Selector } from '../topics/matcher.ts'
import { bounds } from '../update.ts'
import type { Encoding } from './delivery/frame.ts'

export interface SubscribeRequest {
  /** Topics, `*`, URI templates or URL patterns: at most 1,000 of at most 4,096 bytes each. Default: `*`. */
  readonly topics?: readonly Selector[]
  /** Topics whose private updates the client may read. Default: none. */
  readonly readable?: readonly Selector[]
  /** When the right to read ends, in milliseconds since 1970. The stream is then closed with `expired`. Default: never. */
  readonly until?: number
  /** Default: `plain`. */
  readonly encoding?: Encoding
  /** Continue after this id; `earliest` begins with the oldest kept entry. */
  readonly lastEventId?: string
  /** Without `lastEventId`: begin with the newest so many entries, at most 100,000. */
  readonly last?: number
  /** Find out whether the client may read the entry with `lastEventId`: `StreamPosition.visible`. Costs a read. Default: false. */
  readonly checkVisibility?: boolean
  /** Find out whether there is nothing to replay: `StreamPosition.isEmpty`. Costs a search of the history. Default: false. */
  readonly checkEmpty?: boolean
}

/** Selectors of one stream. */
const maxSelectors = 1_000
/** Variables in the patterns of one stream: each costs a scan of every published topic. */
const maxVariables = 200
const maxLast = 100_000
const maxId = 1_024
// biome-ignore lint/suspicious/noControlCharactersInRegex: the check is for control characters
const control = /[\0-\x1f\x7f]/

/**
 * @throws TidingsError `selectors_too_many`, `selector_invalid`, `last_invalid` or `last_event_id_invalid`.
 */
export function validateRequest(request: SubscribeRequest): void {
  const { topics = [], readable = [], last, lastEventId, encoding, until = Infinity } = request
  validateSelectors(topics)
  validateCost(topics)
  validateSelectors(readable)
  if (encoding !== undefined && encoding !== 'plain' && encoding !== 'json') throw new TidingsError('envelope_invalid')
  if (last !== undefined && !(Number.isSafeInteger(last) && last >= 1 && last <= maxLast)) {
    throw new TidingsError('last_invalid', `the range is 1 to ${maxLast}`)
  }
  if (lastEventId !== undefined) validateLastEventId(lastEventId)
  if (typeof until !== 'number' || Number.isNaN(until)) throw new TidingsError('until_invalid')
}

function validateSelectors(selectors: readonly Selector[]): void {
  if (!Array.isArray(selectors)) throw new TidingsError('selector_invalid', 'expected a list of selectors')
  if (selectors.length > maxSelectors) {
    throw new TidingsError('selectors_too_many', `the limit is ${maxSelectors}, got ${selectors.length}`)
  }
  for (const selector of selectors) validateSelector(selector)
}

/** Only for what a client asks for, which is matched against everything published; what it may read comes from a trusted issuer. */
function validateCost(selectors: readonly Selector[]): void {
  const cost = selectors.reduce((sum, selector) => sum + compile(selector).cost, 0)
  if (cost <= maxVariables) return
  const found = `the limit is ${maxVariables} variables in all patterns together, got ${cost}`
  throw new TidingsError('selectors_too_many', found)
}

function validateSelector(selector: Selector): void {
  const text = typeof selector === 'object' && selector !== null ? selector.match : selector
  if (typeof text !== 'string') throw new TidingsError('selector_invalid', 'expected a string')
  if (text === '') throw new TidingsError('selector_invalid', 'it is empty; leave topic out to follow every topic')
  if (control.test(text)) throw new TidingsError('selector_invalid', 'it contains a control character')
  const bytes = Buffer.byteLength(text)
  if (bytes > bounds.topicBytes) {
    throw new TidingsError('selector_invalid', `the limit is ${bounds.topicBytes} bytes, got ${bytes}`)
  }
  try {
    compile(selector)
  } catch (error) {
    throw new TidingsError('selector_invalid', 'it is not a valid URL pattern, or matching it takes too long', {
      cause: error
    })
  }
}

function validateLastEventId(id: string): void {
  if (typeof id !== 'string') throw new TidingsError('last_event_id_invalid', 'expected a string')
  if (control.test(id)) throw new TidingsError('last_event_id_invalid', 'it contains a control character')
  if (id.length > maxId)
    throw new TidingsError('last_event_id_invalid', `the limit is ${maxId} characters, got ${id.length}`)
}
