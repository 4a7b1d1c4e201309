// Reads a stream's events, and remembers where to go on after it was cut. It opens no stream.
import { createParser, type EventSourceMessage } from 'eventsource-parser'

/** Blocks at the beginning of a stream that fire nothing, and the id that one of them holds. */
const opening = /^(?::[^\n]*\n+)*id: ?([^\0\n]*)\n\n/

export class ResumableParser {
  /** The id after which to go on; empty for none yet. */
  lastEventId: string
  /** Milliseconds that the server asked clients to wait before they come again. */
  retry = 1_000
  readonly #parser
  #begun: string | undefined = ''

  constructor(lastEventId: string, onEvent: (event: EventSourceMessage) => void) {
    this.lastEventId = lastEventId
    this.#parser = createParser({
      onEvent: (event) => {
        this.#begun = undefined
        // [HTML, 9.2.6] An id without data counts as well, and an event without one changes nothing.
        if (event.id !== undefined) this.lastEventId = event.id
        onEvent(event)
      },
      onRetry: (milliseconds) => {
        this.retry = milliseconds
      }
    })
  }

  feed(text: string): void {
    if (this.#begun !== undefined) this.#seek(text)
    this.#parser.feed(text)
  }

  /** A new stream begins; what the last one left half said is forgotten, as browsers do. */
  reset(): void {
    this.#begun = ''
    this.#parser.reset()
  }

  /** The parser does not tell of a block with only an id, with which a stream may begin. */
  #seek(text: string): void {
    this.#begun += text
    const id = opening.exec(this.#begun as string)?.[1]
    if (id !== undefined) this.lastEventId = id
    if (id !== undefined || (this.#begun as string).length > 65_536) this.#begun = undefined
  }
}
