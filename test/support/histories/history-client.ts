// One client of a random history: it reads slowly, is cut, resumes from its last id, and records everything it
// receives. It verifies nothing.
import { SlowClient } from './slow-client.ts'

export type Seen =
  | { readonly kind: 'event'; readonly id: string; readonly data: string; readonly connectedAt: number }
  /** The server said that nothing is left to receive. */
  | { readonly kind: 'over'; readonly connectedAt: number }
  | {
      readonly kind: 'gap'
      readonly requested: string
      readonly resumedAfter: string
      readonly reason: string
      readonly header: string
    }

export class HistoryClient extends SlowClient {
  readonly seen: Seen[] = []
  readonly selectors: readonly string[]
  /** The status of the newest response. */
  closedWith = 0

  /** @param at address options of the server, for node:http */
  constructor(at: object, selectors: readonly string[]) {
    super(at)
    this.selectors = selectors
  }

  connect(): void {
    if (this.connected) return
    const connectedAt = performance.now()
    const path = `/subscribe?${new URLSearchParams(this.selectors.map((selector) => ['topic', selector]))}`
    this.open(path, ({ statusCode = 0, headers }) => {
      this.closedWith = statusCode
      // Without an id, it asked for new updates only.
      if (statusCode === 204 && this.lastEventId !== '') this.seen.push({ kind: 'over', connectedAt })
      return (fields) => this.#take(fields, String(headers['last-event-id']), connectedAt)
    })
  }

  #take(fields: Map<string, string>, header: string, connectedAt: number): void {
    const data = fields.get('data')
    if (data === undefined) return
    if (fields.get('event') === 'tidings:gap') this.seen.push({ kind: 'gap', ...JSON.parse(data), header })
    else this.seen.push({ kind: 'event', id: fields.get('id') ?? '', data, connectedAt })
  }
}
