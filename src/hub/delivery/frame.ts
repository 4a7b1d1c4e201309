// An entry's bytes on the wire: encoded when first needed, and at most once per encoding.

import type { Entry } from '../../log/log.ts'
import { sizeOf } from '../../log/size.ts'
import { encode } from '../../sse/encode.ts'

/** `plain`: the publisher's data. `json`: an envelope with topics, id, type, time and data. */
export type Encoding = 'plain' | 'json'

/** The text of an entry on the wire. */
export function textOf(entry: Entry, encoding: Encoding): string {
  const { id, update } = entry
  const { type, retry } = update
  if (encoding === 'plain') return encode({ id, type, retry, data: update.data })
  // The type is only in the envelope: with an `event` field, EventSource would not call `onmessage`.
  return encode({ id, retry, data: envelope(entry) })
}

/**
 * The text of an entry that is older than the position of its stream. Without an `id` field, a client that is disconnected resumes from
 * that position; the envelope still names the entry.
 */
export function replayTextOf(entry: Entry, encoding: Encoding): string {
  const { type, data } = entry.update
  return encoding === 'plain' ? encode({ type, data }) : encode({ data: envelope(entry) })
}

function envelope({ id, time, update: { topics, type = 'message', data } }: Entry): string {
  return JSON.stringify({ topic: topics[0], topics, id, type, data, time })
}

/** An entry with its encoded forms. */
export class Frame {
  readonly entry: Entry
  /** The size of the entry in bytes, for limits. */
  readonly size: number
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
