// Changes a live stream through its control URL: topics that are added and removed, and fresh tokens. A change that is not
// confirmed when the stream is lost is made again on the next one.
import { limited } from '../abort.ts'
import { isTransient, RefusedError, refusalOf } from '../errors.ts'
import type { TopicChange } from './event-stream.ts'

interface ChangeBody extends TopicChange {
  readonly token?: string
}

interface Pending {
  readonly body: ChangeBody
  /** The ids of updates that a replay for this change has delivered. */
  readonly replayed: Set<string>
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** What the stream says about a change. */
export interface Settlement {
  readonly request?: string
  readonly topics?: readonly string[]
  /** What is missing of a replay. */
  readonly gap?: object
  readonly code?: string
  readonly message?: string
}

const retryMs = 1_000

export class Control {
  readonly #fetch: typeof fetch
  readonly #restart: () => void
  readonly #pending: Pending[] = []
  #url: string | undefined
  #isSending = false
  #isClosed = false
  #settled: Settlement | undefined
  #settle: ((settlement: Settlement) => void) | undefined
  #replayedBefore: ReadonlySet<string> = new Set()

  /** @param restart connects again, for a stream that cannot be changed */
  constructor(fetch: typeof globalThis.fetch, restart: () => void) {
    this.#fetch = fetch
    this.#restart = restart
  }

  /** A stream that can be changed at this URL has begun. */
  opened(url: string): void {
    this.#url = url
    this.#replayedBefore = new Set(this.#pending[0]?.replayed)
    void this.#sendNext()
  }

  /** Resolves when the stream has confirmed the change. Rejects with a RefusedError, and then nothing has changed, or when it is closed. */
  change(body: ChangeBody): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return reject(closedError())
      this.#pending.push({ body, replayed: new Set(), resolve, reject })
      void this.#sendNext()
    })
  }

  /** Renews the token. Resolves to false if the stream has to be opened again. */
  renew(token: string): Promise<boolean> {
    return this.change({ token }).then(
      () => true,
      () => false
    )
  }

  /** The stream confirmed or refused a change. */
  settle(settlement: Settlement): void {
    this.#settled = settlement
    this.#settle?.(settlement)
  }

  /** Whether an update of a replay is new. A change that is made again replays what it has replayed before. */
  isNew(data: string): boolean {
    const { id = '' } = JSON.parse(data) as { id?: string }
    this.#pending[0]?.replayed.add(id)
    return !this.#replayedBefore.has(id)
  }

  /** The stream is lost. A token that it should have got is not needed by the next one, which has its own. */
  lost(): void {
    this.#url = undefined
    this.#isSending = false
    for (const change of this.#pending.filter(({ body }) => body.token !== undefined)) this.#drop(change)
  }

  /** No stream will confirm the changes that wait. */
  close(): void {
    this.#isClosed = true
    this.#url = undefined
    for (const change of [...this.#pending]) this.#drop(change, closedError())
  }

  async #sendNext(): Promise<void> {
    const [change] = this.#pending
    if (!change || !this.#url || this.#isSending) return
    const url = this.#url
    this.#isSending = true
    this.#settled = undefined
    const outcome = await this.#send(url, change).catch(() => retryMs)
    // The stream may be another one by now, which sends the change itself.
    if (url !== this.#url) return
    this.#isSending = false
    if (typeof outcome !== 'number') {
      this.#drop(change, outcome)
      void this.#sendNext()
    } else setTimeout(() => void this.#sendNext(), outcome)
  }

  /** Returns how long to wait before the change is sent again, or an error if it is refused; undefined once it is confirmed. */
  async #send(url: string, { body }: Pending): Promise<number | Error | undefined> {
    const headers = { 'Content-Type': 'application/json', Accept: 'application/json' }
    // A browser's fetch must not be called as a method of another object.
    const fetch = this.#fetch
    const response = await fetch(url, { method: 'PATCH', headers, body: JSON.stringify(body), signal: limited() })
    if (!response.ok) {
      const refusal = await refusalOf(response)
      if (response.status === 404) {
        this.#restart()
        return retryMs
      }
      return isTransient(response.status) ? retryMs : refusal
    }
    void response.body?.cancel()
    const { code, message = '' } = await this.#settlementOf(response.headers.get('X-Request-Id'))
    return code === undefined ? undefined : new RefusedError(0, code, message)
  }

  /** The event can arrive before the response. */
  #settlementOf(request: string | null): Promise<Settlement> {
    const isIt = (one: Settlement | undefined) => one && (request === null || one.request === request)
    return new Promise((resolve) => {
      this.#settle = (settlement) => isIt(settlement) && resolve(settlement)
      if (isIt(this.#settled)) resolve(this.#settled as Settlement)
    })
  }

  #drop(change: Pending, error?: Error): void {
    const at = this.#pending.indexOf(change)
    if (at >= 0) this.#pending.splice(at, 1)
    this.#replayedBefore = new Set()
    if (error) change.reject(error)
    else change.resolve()
  }
}

function closedError(): Error {
  return new Error('the subscription is closed')
}
