// Where a stream begins: decides it from what a client asked for, and says what is missing there. It opens no stream.
import { TidingsError } from '../errors.ts'
import { type Filter, formatId, type Log, parseId } from '../log/log.ts'
import { compile, type Selector } from '../topics/matcher.ts'
import { bounds } from '../update.ts'
import type { Encoding } from './delivery/frame.ts'
import type { Interest } from './interest.ts'

/** What a client asks for. */
export interface SubscribeRequest {
  /** Topics, `*`, URI templates or URL patterns: at most 1,000 of at most 4,096 bytes each; default `*`. */
  readonly topics?: readonly Selector[]
  /** Of which topics private updates may be read; default none. */
  readonly readable?: readonly Selector[]
  /** When the right to read ends, in milliseconds since 1970; default never. The stream is closed by then, with `expired`. */
  readonly until?: number
  /** Default `plain`. */
  readonly encoding?: Encoding
  /** Go on after this id; `earliest` begins with the oldest entry kept. */
  readonly lastEventId?: string
  /** Without an id to go on after: begin with the newest so many entries, at most 100,000. */
  readonly last?: number
}

/** What a client missed: told in the stream and in the response header. */
export interface Gap {
  /** The id that the client asked to go on after. */
  readonly requested: string
  /** The id after which the stream really begins. */
  readonly resumedAfter: string
  /**
   * `unknown`: no entry kept bears the id; the stream begins at the head. `epoch`: the id is from a log that is gone; the
   * stream begins with the first entry of this one. `trimmed`: the id is known, and some of what followed is not kept.
   */
  readonly reason: 'unknown' | 'epoch' | 'trimmed'
}

/** A place in the log from which a client can be served. */
export interface StreamPosition {
  readonly interest: Interest
  /** The stream begins after this offset, of this epoch. */
  readonly after: number
  readonly epoch: string
  /** How much the log had removed by then, where that is settled: told already, or not asked for; otherwise 0. */
  readonly removalsSeen: number
  /** The id of that place: as asked for, where it was found, and else one of the hub's. */
  readonly id: string
  /** Whether the client named a place (an id, `earliest`, or a number of entries) rather than come for what is new. */
  readonly requested: boolean
  /** Whether the client may read the entry that bears `id`, where there is one; if not, its id is not to be confirmed. */
  readonly visible: boolean
  /** When the right to read ends, in milliseconds since 1970. */
  readonly until: number
  readonly gap?: Gap
}

/** Selectors that one stream may have. */
const maxSelectors = 1_000
/** Variables that the patterns of one stream may have: each costs a walk over every topic that is published. */
const maxVariables = 200
const maxLast = 100_000
const maxId = 1_024
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters it exists to find
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
    throw new TidingsError('last_invalid', `from 1 to ${maxLast}`)
  }
  if (lastEventId !== undefined) validateLastEventId(lastEventId)
  if (typeof until !== 'number' || Number.isNaN(until)) throw new TidingsError('until_invalid')
}

function validateSelectors(selectors: readonly Selector[]): void {
  if (!Array.isArray(selectors)) throw new TidingsError('selector_invalid', 'selectors are given as a list')
  if (selectors.length > maxSelectors) {
    throw new TidingsError('selectors_too_many', `${selectors.length} were given, ${maxSelectors} are allowed`)
  }
  for (const selector of selectors) validateSelector(selector)
}

/** What a client wants is tried on everything published; what it may read was decided by someone trusted. */
function validateCost(selectors: readonly Selector[]): void {
  const cost = selectors.reduce((sum, selector) => sum + compile(selector).cost, 0)
  if (cost <= maxVariables) return
  const found = `their patterns have ${cost} variables together, ${maxVariables} are allowed`
  throw new TidingsError('selectors_too_many', found)
}

function validateSelector(selector: Selector): void {
  const text = typeof selector === 'object' && selector !== null ? selector.match : selector
  if (typeof text !== 'string') throw new TidingsError('selector_invalid', 'it is not a text')
  if (text === '') throw new TidingsError('selector_invalid', 'it is empty; leave topic out to follow every topic')
  if (control.test(text)) throw new TidingsError('selector_invalid', 'it holds a control character')
  const bytes = Buffer.byteLength(text)
  if (bytes > bounds.topicBytes) {
    throw new TidingsError('selector_invalid', `it has ${bytes} bytes, ${bounds.topicBytes} are allowed`)
  }
  try {
    compile(selector)
  } catch (error) {
    throw new TidingsError('selector_invalid', 'it is no URL pattern, or one that takes too long to try', {
      cause: error
    })
  }
}

function validateLastEventId(id: string): void {
  if (typeof id !== 'string') throw new TidingsError('last_event_id_invalid', 'it is not a text')
  if (control.test(id)) throw new TidingsError('last_event_id_invalid', 'it holds a control character')
  if (id.length > maxId) throw new TidingsError('last_event_id_invalid', `${maxId} characters are allowed`)
}

const everything: Filter = { admits: () => true }

/** The newest entry that the hub was given. */
interface DeliveredHead {
  readonly epoch: string
  readonly head: number
}

/** Finds the place for a valid request. It may take a while, and where the log begins anew meanwhile, it is looked for once more. */
export async function locate(
  request: SubscribeRequest,
  interest: Interest,
  log: Log,
  seen: () => DeliveredHead
): Promise<StreamPosition> {
  for (;;) {
    const { epoch } = log
    const position = await locateInEpoch(request, interest, log, seen())
    if (log.epoch === epoch) return position
  }
}

const where = (epoch: string, after: number) => ({ epoch, after, id: formatId(epoch, after) })

async function locateInEpoch(
  request: SubscribeRequest,
  interest: Interest,
  log: Log,
  seen: DeliveredHead
): Promise<StreamPosition> {
  const { lastEventId, last, until = Infinity } = request
  const settled = log.removals
  const common = { interest, until, requested: true, visible: true }
  const at = (after: number, removalsSeen = 0) => ({ ...common, ...where(log.epoch, after), removalsSeen })
  if (lastEventId === 'earliest') return at(log.first - 1, settled)
  if (lastEventId !== undefined && lastEventId !== '') return resume(lastEventId)
  if (last !== undefined) return at(await log.newest(interest, last), settled)
  return { ...newest(), requested: false }

  /** The log may have begun anew, and the hub be yet to hear of it: what it was given last is not of the new epoch. */
  function newest(): StreamPosition {
    return { ...common, ...where(seen.epoch, seen.head), removalsSeen: 0 }
  }

  async function resume(requested: string): Promise<StreamPosition> {
    const after = await log.locate(requested)
    if (after === undefined) {
      const isOurs = parseId(requested) !== undefined
      return begin(requested, isOurs && !isFromHere(requested) ? 'epoch' : 'unknown')
    }
    const found = { ...at(after), id: requested, visible: await isVisible(after) }
    if (after >= log.head) return found
    const { lost } = await log.read(after, interest, { entries: 1, bytes: 1 })
    return lost ? begin(requested, 'trimmed', after) : found
  }

  async function isVisible(offset: number): Promise<boolean> {
    // Before the first entry there is none.
    if (offset < 1) return true
    const [entry] = (await log.read(offset - 1, everything, { entries: 1, bytes: 1 })).entries
    return entry?.offset !== offset || interest.mayRead(entry.update.topics, entry.update.private ?? false)
  }

  function begin(requested: string, reason: Gap['reason'], after = 0): StreamPosition {
    // What is kept of one topic may be older than what is lost of another: nothing is repeated, and nothing kept left out.
    const position = reason === 'unknown' ? newest() : at(Math.max(after, log.first - 1), settled)
    return { ...position, gap: { requested, resumedAfter: position.id, reason } }
  }

  function isFromHere(id: string): boolean {
    return parseId(id)?.epoch === log.epoch
  }
}
