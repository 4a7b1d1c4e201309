// Encodes Server-Sent Events [HTML, 9.2.5].

/** The fields of one event. */
export interface SseEvent {
  /** The field `event`. Default: clients see the type `message`. */
  type?: string | undefined
  /** The field `id`, which clients send back as `Last-Event-ID`. */
  id?: string | undefined
  /** The field `retry`: the reconnection time in milliseconds. */
  retry?: number | undefined
  data: string
}

const lineEnd = /\r\n|\r|\n/
const breaksType = /[\r\n]/
// [HTML, 9.2.6] Clients ignore an id with NUL, and could never resume from it.
const breaksId = /[\r\n\0]/

/**
 * Encodes one event, with the blank line at its end.
 *
 * [HTML, 9.2.5] Data is split at CRLF, CR and LF, so that a publisher cannot inject fields. A CR therefore arrives as
 * LF. One space follows each colon, because clients remove one.
 *
 * @throws RangeError if `type` or `id` contains a line end, `id` contains NUL, or `retry` is not a whole number of at
 * least 0
 */
export function encode({ type, id, retry, data }: SseEvent): string {
  let text = ''
  if (type !== undefined) {
    if (breaksType.test(type)) throw new RangeError('an event type must not contain a line end')
    text += `event: ${type}\n`
  }
  if (retry !== undefined) {
    if (!Number.isSafeInteger(retry) || retry < 0) throw new RangeError('retry must be a whole number of milliseconds')
    text += `retry: ${retry}\n`
  }
  if (id !== undefined) {
    if (breaksId.test(id)) throw new RangeError('an event id must not contain a line end or NUL')
    text += `id: ${id}\n`
  }
  const lines = lineEnd.test(data) ? data.split(lineEnd).join('\ndata: ') : data
  return `${text}data: ${lines}\n\n`
}

/**
 * Encodes a block that sets a client's last event id without firing an event: the id is committed at every blank line,
 * even without data [HTML, 9.2.6].
 */
export function encodePosition(id: string): string {
  if (breaksId.test(id)) throw new RangeError('an event id must not contain a line end or NUL')
  return `id: ${id}\n\n`
}

/** A comment, which clients ignore. It keeps proxies from closing a quiet stream, and detects broken connections. */
export const heartbeat = ':\n'
