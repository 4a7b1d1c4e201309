// Reads updates by long polling, for networks that buffer a stream.
import type { EventSourceMessage } from 'eventsource-parser'
import type { Token } from '../token.ts'
import { get } from './get.ts'
import type { ConnectionOptions } from './options.ts'
import type { Interruption } from './response.ts'
import { Watchdog } from './watchdog.ts'

/** A page of `GET /updates`. */
export interface Page {
  readonly updates: readonly { readonly id: string; readonly type: string; readonly data: string }[]
  readonly lastEventId: string
  readonly gap: object | null
  readonly more: boolean
  readonly ended: boolean
}

export interface Polling {
  readonly token: string | undefined
  readonly renewable: Token
  readonly signal: AbortSignal
  /** The id to continue after. */
  readonly lastEventId: string
  /** Undefined for a success. */
  refused(response: Response): Promise<Interruption | undefined>
  watch(watchdog: Watchdog): void
  restart(): void
  deliver(events: readonly EventSourceMessage[], watchdog: Watchdog): Promise<void>
  /** A page is delivered up to this id. @param isWorking whether polling goes on */
  arrived(lastEventId: string, isWorking: boolean): void
  ended(): void
}

/** Seconds for which the server may wait for an update: shorter than the usual timeouts of proxies. */
const waitSeconds = 25
/** How long updates are polled before a stream is tried again, in milliseconds. */
const pollingMs = 300_000

/** Polls until it is time to try a stream again, or until something else has to happen, which is returned. */
export async function poll(options: ConnectionOptions, polling: Polling): Promise<Interruption | undefined> {
  const { renewable, signal } = polling
  const { openTimeoutMs, pageUrl = () => '' } = options
  const until = performance.now() + pollingMs
  const watchdog = new Watchdog(openTimeoutMs + waitSeconds * 1_000, () => polling.restart())
  polling.watch(watchdog)
  watchdog.check()
  let { token, lastEventId } = polling
  // The first answer comes at once, and shows whether polling works.
  for (let wait = 0; ; ) {
    if (renewable.renewIn <= 0) token = await renewable.get(signal)
    const url = pageUrl(lastEventId, wait)
    const response = await get(options, { url, token, headers: { Accept: 'application/json' }, signal })
    const refusal = await polling.refused(response)
    if (refusal) return refusal
    const page = (await response.json()) as Page
    await polling.deliver(eventsOf(page), watchdog)
    watchdog.seen()
    lastEventId = page.lastEventId
    const isWorking = performance.now() < until
    polling.arrived(lastEventId, isWorking)
    if (page.ended) polling.ended()
    if (!isWorking || signal.aborted || page.ended) return undefined
    wait = page.more ? 0 : waitSeconds
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
