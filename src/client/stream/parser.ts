// Parses the events of a stream, and keeps the id from which to resume.
import { createParser, type EventSourceMessage } from 'eventsource-parser'

/** Comments at the start of a stream, and a block with only an id. */
const opening = /^(?::[^\n]*\n+)*id: ?([^\0\n]*)\n\n/

export class ResumableParser {
  /** The minimum delay before a reconnect that the server asked for, in milliseconds. */
  retry: number | undefined
  readonly #events: EventSourceMessage[] = []
  readonly #decoder = new TextDecoder()
  readonly #parser
  #start: string | undefined = ''
  #openingId: string | undefined

  constructor() {
    this.#parser = createParser({
      onEvent: (event) => {
        this.#start = undefined
        this.#events.push(event)
      },
      onRetry: (milliseconds) => {
        this.retry = milliseconds
      }
    })
  }

  /** Returns the events that are complete with these bytes. */
  feed(bytes: Uint8Array): EventSourceMessage[] {
    const text = this.#decoder.decode(bytes, { stream: true })
    if (this.#start !== undefined) this.#findOpeningId(text)
    this.#parser.feed(text)
    return this.#events.splice(0)
  }

  /** The id of a block without data at the start of the stream, once; undefined if there was none. */
  takeOpeningId(): string | undefined {
    const id = this.#openingId
    this.#openingId = undefined
    return id
  }

  /** The parser does not report a block with only an id, which may be the first of a stream. */
  #findOpeningId(text: string): void {
    this.#start += text
    this.#openingId = opening.exec(this.#start as string)?.[1]
    if (this.#openingId !== undefined || (this.#start as string).length > 65_536) this.#start = undefined
  }
}
