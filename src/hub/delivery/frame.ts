// An entry's bytes on the wire: encoded when first needed, and at most once per encoding.

import type { Entry } from '../../log/log.ts'
import { sizeOf } from '../../log/size.ts'
import { encode } from '../../sse/encode.ts'
import type { Update } from '../../update.ts'

/** `plain`: the publisher's data. `json`: an envelope with topics, id, type, time and data. */
export type Encoding = 'plain' | 'json'

/** The text of an entry on the wire. */
export function textOf(entry: Entry, encoding: Encoding): string {
  const { id, update } = entry
  const { type, retry, data } = update
  // The hub's own events have the same form in both encodings.
  if (encoding === 'plain' || type === deletedType) return encode({ id, type: eventType(update), retry, data })
  // The type is only in the envelope: with an `event` field, EventSource would not call `onmessage`.
  return encode({ id, retry, data: JSON.stringify(envelopeOf(entry)) })
}

/** The type of the announcement of a deletion. */
export const deletedType = 'tidings:deleted'

/** An end without data has a type of its own, unless the publisher gave it one. */
function eventType({ type, data, end }: Update): string | undefined {
  return type ?? (end && data === '' ? 'tidings:end' : undefined)
}

/** An entry as clients read it in JSON. `time` is in milliseconds since 1970. */
export interface Envelope {
  readonly topic: string
  readonly topics: readonly string[]
  readonly id: string
  /** `message` if the publisher gave none. */
  readonly type: string
  readonly data: string
  readonly time: number
  readonly end?: true
}

export function envelopeOf({ id, time, update: { topics, type = 'message', data, end } }: Entry): Envelope {
  return { topic: topics[0] as string, topics, id, type, data, time, ...(end && { end }) }
}

/**
 * The text of an entry that is older than the position of its stream. Without an `id` field, a client that is disconnected resumes from
 * that position; the envelope still names the entry.
 */
export function replayTextOf(entry: Entry, encoding: Encoding): string {
  const { update } = entry
  if (encoding === 'plain' || update.type === deletedType) return encode({ type: eventType(update), data: update.data })
  return encode({ data: JSON.stringify(envelopeOf(entry)) })
}

/** An entry with its encoded forms. */
export class Frame {
  readonly entry: Entry
  /** The size of the entry in bytes, for limits. */
  readonly size: number
  /** Whether a later deletion covers it. */
  isDeleted = false
  #plain: Buffer | undefined
  #json: Buffer | undefined

  constructor(entry: Entry) {
    this.entry = entry
    this.size = sizeOf(entry.update)
  }

  get offset(): number {
    return this.entry.offset
  }

  bytes(encoding: Encoding): Buffer {
    if (encoding === 'plain') {
      this.#plain ??= Buffer.from(textOf(this.entry, encoding))
      return this.#plain
    }
    this.#json ??= Buffer.from(textOf(this.entry, encoding))
    return this.#json
  }
}
