// An update, and its validation: the only check between a publisher's text and the fields of a stream.
import { TidingsError } from './errors.ts'

/** What a publisher sends. */
export interface Update {
  /** 1 to 1,000 topics of at most 4,096 bytes each. The first is the canonical topic, the others are alternates. */
  readonly topics: readonly string[]
  /** The payload. It is delivered unchanged, but line ends arrive as LF. */
  readonly data: string
  /** The event type, at most 256 bytes. Default: `message`. */
  readonly type?: string
  /** The publisher's own id, at most 256 bytes. Default: the log makes one. */
  readonly id?: string
  /** Reconnection time for clients, in milliseconds, at most one day. */
  readonly retry?: number
  /** Only for subscribers that may read one of the topics. Default: false. */
  readonly private?: boolean
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

// biome-ignore lint/suspicious/noControlCharactersInRegex: the check is for control characters
const control = /[\0-\x1f\x7f]/

/**
 * Checks an update, and returns a copy with its known fields only.
 *
 * @throws TidingsError with `topic_missing`, `topic_invalid`, `topics_too_many`, `data_invalid`, `type_invalid`,
 * `id_invalid`, `retry_invalid` or `private_invalid`.
 */
export function validate(update: Update): ValidUpdate {
  const { topics, data, type, id, retry } = update
  checkTopics(topics)
  if (typeof data !== 'string' || !data.isWellFormed()) throw new TidingsError('data_invalid')
  if (type !== undefined) checkType(type)
  if (id !== undefined) checkId(id)
  if (retry !== undefined) checkRetry(retry)
  if (update.private !== undefined && typeof update.private !== 'boolean') throw new TidingsError('private_invalid')
  const copy: Update = {
    topics: [...topics],
    data,
    ...(type !== undefined && { type }),
    ...(id !== undefined && { id }),
    ...(retry !== undefined && { retry }),
    ...(update.private && { private: true })
  }
  return copy as ValidUpdate
}

function checkTopics(topics: readonly string[]): void {
  if (!Array.isArray(topics) || topics.length === 0) throw new TidingsError('topic_missing')
  if (topics.length > bounds.topics) {
    throw new TidingsError('topics_too_many', `${topics.length} were given, ${bounds.topics} are allowed`)
  }
  for (const topic of topics) checkTopic(topic)
}

function checkTopic(topic: string): void {
  const refuse = (why: string): never => {
    throw new TidingsError('topic_invalid', why)
  }
  if (typeof topic !== 'string' || topic === '') refuse('a topic is a text of at least one character')
  if (topic === '*') refuse('* selects every topic and is not one itself')
  if (!topic.isWellFormed()) refuse('it is not well-formed Unicode')
  if (control.test(topic)) refuse('it holds a control character')
  checkLength(topic, bounds.topicBytes, refuse)
}

function checkType(type: string): void {
  const refuse = (why: string): never => {
    throw new TidingsError('type_invalid', why)
  }
  checkField(type, bounds.typeBytes, refuse)
  if (type.startsWith('tidings:')) refuse('types that begin with "tidings:" are the hub\'s own')
}

function checkId(id: string): void {
  const refuse = (why: string): never => {
    throw new TidingsError('id_invalid', why)
  }
  checkField(id, bounds.idBytes, refuse)
  if (id.startsWith('#')) refuse('ids that begin with "#" are made by the hub')
  if (id === 'earliest') refuse('"earliest" asks for all history and names no update')
  // A client sends the id back in a header, which loses white space at its ends.
  if (id.trim() !== id) refuse('it begins or ends with white space')
}

function checkField(value: string, bytes: number, refuse: (why: string) => never): void {
  if (typeof value !== 'string' || value === '') refuse('it is empty; leave it out instead')
  if (!value.isWellFormed()) refuse('it is not well-formed Unicode')
  if (control.test(value)) refuse('it holds a line end, NUL or another control character')
  checkLength(value, bytes, refuse)
}

function checkLength(value: string, bound: number, refuse: (why: string) => never): void {
  // A UTF-16 unit has at most three bytes, so most texts need no count.
  if (value.length * 3 <= bound) return
  const bytes = Buffer.byteLength(value)
  if (bytes > bound) refuse(`it has ${bytes} bytes, ${bound} are allowed`)
}

function checkRetry(retry: number): void {
  if (Number.isSafeInteger(retry) && retry >= 0 && retry <= bounds.retryMs) return
  throw new TidingsError('retry_invalid', `from 0 to ${bounds.retryMs}`)
}
