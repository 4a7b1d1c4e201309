// Follows a stream with the client of tidings, over the connections and with the words of a command.
import type { EventSourceMessage } from 'eventsource-parser'
import { RefusedError } from '../../client/errors.ts'
import { Connection } from '../../client/stream/connection.ts'
import type { State } from '../../client/stream/state.ts'
import { Failure } from './failure.ts'
import { fetchFrom } from './fetch.ts'
import type { Target } from './request.ts'

export interface Following {
  /** The query of the first request. Later requests have the last event id in place of `last`. */
  readonly query: URLSearchParams
  /** The id after which to start; empty for none. */
  readonly from: string
  readonly event: (event: EventSourceMessage) => void
  readonly bytes: (chunk: Uint8Array) => void
  readonly say: (sentence: string) => void
  /** Aborted to end it. */
  readonly stop: AbortSignal
}

/** Longer than a usual heartbeat: a stream that is idle for longer has lost its connection. In milliseconds. */
const idleTimeoutMs = 120_000

/** Resolves when it is stopped, and when nothing is left to receive because all topics have ended. @throws Failure if a retry would not help */
export async function follow(target: Target, { query, from, event, bytes, say, stop }: Following): Promise<void> {
  let isReconnecting = false
  await new Promise<void>((resolve, reject) => {
    const onState = (state: State): void => {
      if (state.status === 'closed') {
        if (state.error) reject(new Failure(sentenceFor(state.error, target)))
        else resolve()
      } else if (state.status === 'waiting') {
        say(`${state.reason}; reconnecting in ${((state.until - Date.now()) / 1_000).toFixed(1)} s`)
        isReconnecting = true
      } else if (state.status === 'live') {
        if (isReconnecting) say('reconnected')
        isReconnecting = false
      }
    }
    const connection = new Connection({
      from,
      fetch: fetchFrom(target),
      pauseWhenHidden: false,
      idleTimeoutMs,
      openTimeoutMs: idleTimeoutMs,
      streamUrl: (lastEventId) => `subscribe?${position(query, lastEventId)}`,
      onEvent: (message) => void (stop.aborted || event(message)),
      onState,
      onBytes: bytes
    })
    stop.addEventListener('abort', () => connection.close(), { once: true })
    if (stop.aborted) connection.close()
    else connection.start()
  })
}

function sentenceFor(error: Error, { base }: Target): string {
  const isOther = error instanceof RefusedError && error.code === 'not_a_stream'
  return isOther ? `${base.href} answers, but not with an event stream` : error.message
}

/** An id may have any characters, which a header could not carry. */
function position(query: URLSearchParams, lastEventId: string): URLSearchParams {
  const asked = new URLSearchParams(query)
  if (lastEventId !== '') {
    asked.set('last_event_id', lastEventId)
    asked.delete('last')
  }
  return asked
}
