// Parses the events of a stream, and keeps the id from which to resume.
import { createParser, type EventSourceMessage } from 'eventsource-parser'

/** Comments at the start of a stream, and a block with only an id. */
const opening = /^(?::[^\n]*\n+)*id: ?([^\0\n]*)\n\n/

export class ResumableParser {
  /** The id from which to resume; empty for none yet. */
  lastEventId: string
  /** The reconnection delay that the server asked for, in milliseconds. */
  retry = 1_000
  readonly #parser
  #start: string | undefined = ''

  constructor(lastEventId: string, onEvent: (event: EventSourceMessage) => void) {
    this.lastEventId = lastEventId
    this.#parser = createParser({
      onEvent: (event) => {
        this.#start = undefined
        // An event without an id does not change the last id [HTML, 9.2.6].
        if (event.id !== undefined) this.lastEventId = event.id
        onEvent(event)
      },
      onRetry: (milliseconds) => {
        this.retry = milliseconds
      }
    })
  }

  feed(text: string): void {
    if (this.#start !== undefined) this.#findFirstId(text)
    this.#parser.feed(text)
  }

  /** Prepares for a new stream. An incomplete event of the last one is dropped, as browsers do. */
  reset(): void {
    this.#start = ''
    this.#parser.reset()
  }

  /** The parser does not report a block with only an id, which may be the first of a stream. */
  #findFirstId(text: string): void {
    this.#start += text
    const id = opening.exec(this.#start as string)?.[1]
    if (id !== undefined) this.lastEventId = id
    if (id !== undefined || (this.#start as string).length > 65_536) this.#start = undefined
  }
}
