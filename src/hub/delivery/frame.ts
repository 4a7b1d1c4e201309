// An entry's bytes on the wire, made when first needed and at most once per encoding. It knows no subscriber.

import type { Entry } from '../../log/log.ts'
import { sizeOf } from '../../log/size.ts'
import { encode } from '../../sse/encode.ts'

/** How an entry is written: `plain` as the publisher said it, `json` wrapped so that any client can tell topics apart. */
export type Encoding = 'plain' | 'json'

/** The text of an entry on the wire. */
export function textOf(entry: Entry, encoding: Encoding): string {
  const { id, update } = entry
  const { type, retry } = update
  if (encoding === 'plain') return encode({ id, type, retry, data: update.data })
  // The type goes inside alone: with an `event` field, a plain EventSource would not show the event to `onmessage`.
  return encode({ id, retry, data: envelope(entry) })
}

function envelope({ id, time, update: { topics, type = 'message', data } }: Entry): string {
  return JSON.stringify({ topic: topics[0], topics, id, type, data, time })
}

/** An entry that is on its way to subscribers. */
export class Frame {
  readonly entry: Entry
  /** What it counts for where a bound is in bytes. */
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
