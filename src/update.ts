// Updates, and their validation: the only gate between a publisher's text and the fields of a stream.
import { TidingsError } from './errors.ts'

/** What a publisher sends. Texts must be well-formed Unicode. Limits are in bytes of UTF-8. */
export interface Update {
  /**
   * 1 to 1,000 topics of 1 to 4,096 bytes without control characters, not `*`. The first is the canonical topic, the
   * others are alternate topics [Mercure 1.0, Publication]. A subscriber that selects several of them receives the
   * update once.
   */
  readonly topics: readonly string[]
  /** The payload. Line ends arrive as LF, because the format cannot transmit CR [HTML, 9.2.5]. */
  readonly data: string
  /**
   * The event type: 1 to 256 bytes without control characters, not beginning with `tidings:`. Default: clients see
   * `message`.
   */
  readonly type?: string
  /**
   * The event id: 1 to 256 bytes without control characters, not beginning with `#`, not `earliest`, without white
   * space at its ends. Default: the hub makes one.
   */
  readonly id?: string
  /** The reconnection time for clients, in milliseconds, 0 to 86,400,000 (one day). Default: clients keep theirs. */
  readonly retry?: number
  /** Deliver only to subscribers whose token may read one of the topics; default false. */
  readonly private?: boolean
  /**
   * The last update of its topics; default false. A topic is ended as long as its newest kept update is an end; publishing
   * again reopens it.
   */
  readonly end?: boolean
}

declare const valid: unique symbol

/** An update that `validate` returned. */
export type ValidUpdate = Update & { readonly [valid]: true }

/** The limits of one update. */
export const bounds = {
  topics: 1_000,
  topicBytes: 4_096,
  idBytes: 256,
  typeBytes: 256,
  retryMs: 86_400_000
} as const

// biome-ignore lint/suspicious/noControlCharactersInRegex: the expression searches for control characters
const control = /[\0-\x1f\x7f]/

/**
 * Checks an update and returns a copy with only the known fields.
 *
 * @throws TidingsError with `topic_missing`, `topic_invalid`, `topics_too_many`, `data_invalid`, `type_invalid`,
 * `id_invalid`, `retry_invalid`, `private_invalid` or `end_invalid`.
 */
export function validate(update: Update): ValidUpdate {
  const { topics, data, type, id, retry } = update
  checkTopics(topics)
  if (typeof data !== 'string' || !data.isWellFormed()) throw new TidingsError('data_invalid')
  if (type !== undefined) checkType(type)
  if (id !== undefined) checkId(id)
  if (retry !== undefined) checkRetry(retry)
  if (update.private !== undefined && typeof update.private !== 'boolean') throw new TidingsError('private_invalid')
  if (update.end !== undefined && typeof update.end !== 'boolean') throw new TidingsError('end_invalid')
  // Assigned one by one, since most updates have none of them, and this runs for each.
  const copy: { -readonly [field in keyof Update]: Update[field] } = { topics: [...topics], data }
  if (type !== undefined) copy.type = type
  if (id !== undefined) copy.id = id
  if (retry !== undefined) copy.retry = retry
  if (update.private) copy.private = true
  if (update.end) copy.end = true
  return copy as ValidUpdate
}

function checkTopics(topics: readonly string[]): void {
  if (!Array.isArray(topics) || topics.length === 0) throw new TidingsError('topic_missing')
  if (topics.length > bounds.topics) {
    throw new TidingsError('topics_too_many', `the limit is ${bounds.topics}, got ${topics.length}`)
  }
  for (const topic of topics) checkTopic(topic)
}

function checkTopic(topic: string): void {
  const refuse = (why: string): never => {
    throw new TidingsError('topic_invalid', why)
  }
  if (typeof topic !== 'string' || topic === '') refuse('a topic must be a text of at least one character')
  if (topic === '*') refuse('"*" selects every topic, so no update can have it as its topic')
  if (!topic.isWellFormed()) refuse('it is not well-formed Unicode')
  if (control.test(topic)) refuse('it contains a control character')
  checkLength(topic, bounds.topicBytes, refuse)
}

function checkType(type: string): void {
  const refuse = (why: string): never => {
    throw new TidingsError('type_invalid', why)
  }
  checkField(type, bounds.typeBytes, refuse)
  if (type.startsWith('tidings:')) refuse('types that begin with "tidings:" are reserved for the hub')
}

function checkId(id: string): void {
  const refuse = (why: string): never => {
    throw new TidingsError('id_invalid', why)
  }
  checkField(id, bounds.idBytes, refuse)
  if (id.startsWith('#')) refuse('ids that begin with "#" are reserved for the hub')
  if (id === 'earliest') refuse('"earliest" is reserved for requests of all history')
  // Clients send the id in a header, whose leading and trailing white space is lost.
  if (id.trim() !== id) refuse('it begins or ends with white space')
}

function checkField(value: string, bytes: number, refuse: (why: string) => never): void {
  if (typeof value !== 'string' || value === '') refuse('it is empty; omit it instead')
  if (!value.isWellFormed()) refuse('it is not well-formed Unicode')
  if (control.test(value)) refuse('it contains a line end, NUL or another control character')
  checkLength(value, bytes, refuse)
}

function checkLength(value: string, bound: number, refuse: (why: string) => never): void {
  // A UTF-16 unit has at most three bytes in UTF-8, so the bytes of most texts need not be counted.
  if (value.length * 3 <= bound) return
  const bytes = Buffer.byteLength(value)
  if (bytes > bound) refuse(`the limit is ${bound} bytes, got ${bytes}`)
}

function checkRetry(retry: number): void {
  if (Number.isSafeInteger(retry) && retry >= 0 && retry <= bounds.retryMs) return
  throw new TidingsError('retry_invalid', `the range is 0 to ${bounds.retryMs}`)
}
