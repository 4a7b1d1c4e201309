// Reads what a member of a group lacks from `GET /updates`.
import type { EventSourceMessage } from 'eventsource-parser'
import { fullJitterMs, readRetryAfter } from '../../backoff.ts'
import { delay, timeoutMs, withTimeLimit } from '../abort.ts'
import { isDenial, isTransient, RefusedError, refusalOf } from '../errors.ts'
import type { StreamOptions } from '../stream/event-stream.ts'
import { get } from '../stream/get.ts'
import { eventsOf, type Page } from '../stream/polling.ts'
import { Token } from '../token.ts'

const backoff = { firstMs: 500, maxMs: 30_000 }
/** How long a server of a fleet that is behind the others is given before it is asked again, in milliseconds. */
const lagMs = 200

export interface HistoryRange {
  readonly topics: readonly string[]
  /** The id to continue after; empty for none. */
  readonly after: string
  readonly last?: number | undefined
  /** The position that has to be reached. */
  readonly through: string
}

export interface HistoryPage {
  readonly events: readonly EventSourceMessage[]
  readonly lastEventId: string
  readonly isLast: boolean
  /** All topics have ended. */
  readonly hasEnded: boolean
}

export class History {
  readonly #options: StreamOptions
  readonly #token: Token
  readonly #signal: AbortSignal

  constructor(options: StreamOptions, signal: AbortSignal) {
    this.#options = options
    this.#token = new Token(options.token)
    this.#signal = signal
  }

  /** Repeats a request until it succeeds. @throws RefusedError if a retry would not help, AbortError when it is aborted */
  async *read({ topics, after, last, through }: HistoryRange): AsyncGenerator<HistoryPage, void, undefined> {
    const { pageUrl = () => '' } = this.#options.endpoint
    for (let lastEventId = after; ; ) {
      const page = await this.#request(pageUrl({ topics, lastEventId, last }, 0))
      lastEventId = page.lastEventId
      const isLagging = !page.more && isBefore(lastEventId, through)
      const isLast = !page.more && !isLagging
      yield { events: eventsOf(page), lastEventId, isLast, hasEnded: page.ended }
      if (isLast || page.ended) return
      if (isLagging) await delay(lagMs, this.#signal)
    }
  }

  async #request(url: string): Promise<Page> {
    for (let failures = 1; ; failures++) {
      let minMs = 0
      try {
        return await withTimeLimit(
          timeoutMs,
          async (signal) => {
            const token = await this.#token.get(signal)
            const headers = { Accept: 'application/json' }
            const response = await get(this.#options, { url, token, headers, signal })
            if (response.ok) return (await response.json()) as Page
            minMs = readRetryAfter(response.headers.get('Retry-After'), backoff.maxMs)
            throw await refusalOf(response)
          },
          this.#signal
        )
      } catch (error) {
        this.#signal.throwIfAborted()
        if (error instanceof RefusedError && !this.#mayHelp(error.status, failures)) throw error
      }
      await delay(minMs + fullJitterMs(failures, backoff), this.#signal)
    }
  }

  /** Whether another attempt may succeed, with a fresh token or later. */
  #mayHelp(status: number, failures: number): boolean {
    return isTransient(status) || (isDenial(status) && this.#token.isRenewable && failures === 1)
  }
}

const idForm = /^#([0-9a-z]+)-([0-9a-z]+)$/

/** Whether one of the hub's own ids is older than another. False for ids that cannot be compared. */
export function isBefore(id: string, other: string): boolean {
  const [, epoch, offset = ''] = idForm.exec(id) ?? []
  const [, otherEpoch, otherOffset = ''] = idForm.exec(other) ?? []
  return epoch !== undefined && epoch === otherEpoch && Number.parseInt(offset, 36) < Number.parseInt(otherOffset, 36)
}
