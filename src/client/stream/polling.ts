// Reads updates by long polling, for networks that buffer a stream.
import type { EventSourceMessage } from 'eventsource-parser'

/** A page of `GET /updates`. */
export interface Page {
  readonly updates: readonly { readonly id: string; readonly type: string; readonly data: string }[]
  readonly lastEventId: string
  readonly gap: object | null
  readonly more: boolean
  readonly ended: boolean
}

export interface Polling<Refusal> {
  request(waitSeconds: number): Promise<Response>
  /** Undefined for a success. */
  refused(response: Response): Promise<Refusal | undefined>
  deliver(events: readonly EventSourceMessage[]): Promise<void>
  /** A page is delivered up to this id. Returns whether to request another one. */
  arrived(lastEventId: string): boolean
  ended(): void
}

/** Seconds for which the server may wait for an update: shorter than the usual timeouts of proxies. */
const waitSeconds = 25
export const longestPollMs = waitSeconds * 1_000

export async function pollUpdates<Refusal>(polling: Polling<Refusal>): Promise<Refusal | undefined> {
  // The first answer comes at once, and shows whether polling works.
  for (let wait = 0; ; ) {
    const response = await polling.request(wait)
    const refusal = await polling.refused(response)
    if (refusal) return refusal
    const page = (await response.json()) as Page
    const { lastEventId, more, ended } = page
    await polling.deliver(eventsOf(page))
    if (!polling.arrived(lastEventId)) return undefined
    if (ended) {
      polling.ended()
      return undefined
    }
    wait = more ? 0 : waitSeconds
  }
}

/** The same events that a stream would contain. */
export function eventsOf({ gap, updates }: Page): EventSourceMessage[] {
  const events: EventSourceMessage[] = gap ? [{ event: 'tidings:gap', id: undefined, data: JSON.stringify(gap) }] : []
  for (const update of updates) events.push(eventOf(update))
  return events
}

function eventOf(update: Page['updates'][number]): EventSourceMessage {
  const isReport = update.type.startsWith('tidings:') && update.type !== 'tidings:end'
  return isReport
    ? { event: update.type, id: update.id, data: update.data }
    : { event: undefined, id: update.id, data: JSON.stringify(update) }
}
