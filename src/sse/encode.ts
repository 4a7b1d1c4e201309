// Writes Server-Sent Events in their stream format. It knows the standard's stream format and nothing else: no topics, no log, no HTTP.

/** What may stand in one event of a stream. */
export interface SseEvent {
  /** Value of the `event` field; left out, clients see the type `message`. */
  type?: string | undefined
  /** Value of the `id` field, which clients send back as `Last-Event-ID`. */
  id?: string | undefined
  /** Reconnection time in milliseconds. */
  retry?: number | undefined
  data: string
}

const lineEnd = /\r\n|\r|\n/
const breaksType = /[\r\n]/
// [HTML, 9.2.6] A client ignores an id that holds NUL, so it could never resume from it.
const breaksId = /[\r\n\0]/

/**
 * Encodes one event, ended by its blank line.
 *
 * [HTML, 9.2.5] Data is split at CRLF, CR and LF, so that no publisher can begin a field of his own; a CR therefore
 * arrives as LF. One space follows each colon, because a client removes exactly one.
 *
 * @throws RangeError when `type` or `id` holds a line end, `id` holds NUL, or `retry` is not a whole number ≥ 0.
 */
export function encode({ type, id, retry, data }: SseEvent): string {
  let text = ''
  if (type !== undefined) {
    if (breaksType.test(type)) throw new RangeError('an event type cannot hold a line end')
    text += `event: ${type}\n`
  }
  if (retry !== undefined) {
    if (!Number.isSafeInteger(retry) || retry < 0) throw new RangeError('retry must be a whole number of milliseconds')
    text += `retry: ${retry}\n`
  }
  if (id !== undefined) {
    if (breaksId.test(id)) throw new RangeError('an event id cannot hold a line end or NUL')
    text += `id: ${id}\n`
  }
  const lines = lineEnd.test(data) ? data.split(lineEnd).join('\ndata: ') : data
  return `${text}data: ${lines}\n\n`
}

/**
 * Encodes a block that only moves a client's last event id and fires nothing.
 *
 * [HTML, 9.2.6] The id is committed at every blank line, also where there was no data.
 */
export function encodePosition(id: string): string {
  if (breaksId.test(id)) throw new RangeError('an event id cannot hold a line end or NUL')
  return `id: ${id}\n\n`
}

/** A comment, which every client ignores: it shows proxies and half-dead networks that the stream lives. */
export const heartbeat = ':\n'
