// The tail of the hub's updates: follows topics, keeps the newest events, and holds new ones back while it is paused.
import { type Gap, RefusedError, type State, type Subscription, subscribe, type Update } from '../../../client/index.ts'
import { sentence } from '../../shared/refusal.ts'
import { Store } from '../data/store.ts'
import { token } from '../data/token.ts'
import { subscribeUrl } from '../data/urls.ts'

export const keptEvents = 500
/** A busy hub would otherwise render for each event. */
const renderMs = 100

export type TailEvent = { readonly key: number } & (
  | { readonly kind: 'update'; readonly update: Update<string> }
  | { readonly kind: 'gap'; readonly gap: Gap }
  | { readonly kind: 'notice'; readonly text: string }
)

export interface TailState {
  /** The newest first. */
  readonly events: readonly TailEvent[]
  /** Events that arrived while the tail is paused; undefined if it is not. */
  readonly held: number | undefined
  readonly received: number
  readonly connection: State
}

export interface TailStart {
  readonly topics: readonly string[]
  /** An id or `earliest`; empty for the newest events. */
  readonly from: string
}

/** What is shown of the time before the tail began. */
const shownAtFirst = 50

const initial: TailState = { events: [], held: undefined, received: 0, connection: { status: 'connecting' } }

export class Tail {
  readonly state = new Store<TailState>(initial)
  #subscription: Subscription<string> | undefined
  #events: readonly TailEvent[] = []
  /** Events since the last rendering, and since the pause; the oldest first. */
  #pending: TailEvent[] = []
  #held: TailEvent[] | undefined
  #received = 0
  #nextKey = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  /** Begins anew with other topics, or at another id. */
  start({ topics, from }: TailStart): void {
    this.stop()
    this.#events = []
    this.#pending = []
    this.#held = undefined
    this.#received = 0
    const opened = subscribe<string>(subscribeUrl, {
      topics: topics.length > 0 ? topics : '*',
      parse: 'text',
      ...(token.value && { token: token.value }),
      ...(from ? { from } : { last: shownAtFirst })
    })
    this.#subscription = opened
    opened.on('state', (connection) => {
      if (opened !== this.#subscription) return
      this.state.set({ ...this.state.value, connection })
    })
    opened.on('update', (update) => this.#add({ kind: 'update', update, key: this.#nextKey++ }))
    opened.on('gap', (gap) => this.#add({ kind: 'gap', gap, key: this.#nextKey++ }))
    opened.on('deleted', ({ topics, id }) => {
      const what = id === undefined ? 'All earlier updates were deleted of' : `The update ${id} was deleted of`
      this.#note(`${what} ${topics.join(', ')}.`)
    })
    opened.on('ended', ({ topics }) => this.#note(`Ended: ${topics.join(', ')}.`))
    this.state.set({ ...initial, connection: opened.state })
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const last = this.#subscription
    this.#subscription = undefined
    last?.close()
  }

  togglePause(): void {
    if (this.#held) {
      this.#pending = this.#held
      this.#held = undefined
      this.#show()
    } else {
      this.#show()
      this.#held = []
      this.#show()
    }
  }

  clear(): void {
    this.#events = []
    this.#pending = []
    if (this.#held) this.#held = []
    this.#show()
  }

  #note(text: string): void {
    this.#add({ kind: 'notice', text, key: this.#nextKey++ })
  }

  #add(event: TailEvent): void {
    this.#received++
    const target = this.#held ?? this.#pending
    target.push(event)
    if (target.length > keptEvents) target.shift()
    this.#timer ??= setTimeout(() => this.#show(), renderMs)
  }

  #show(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#pending.length > 0) this.#events = [...this.#pending.reverse(), ...this.#events].slice(0, keptEvents)
    this.#pending = []
    this.state.set({ ...this.state.value, events: this.#events, held: this.#held?.length, received: this.#received })
  }
}

/** Why nothing arrives, in a sentence; undefined if updates arrive. */
export function problemOf(state: State): string | undefined {
  if (state.status === 'waiting')
    return `The stream is interrupted: ${sentence(state.reason)} The page connects again automatically.`
  if (state.status !== 'closed' || state.reason === 'client') return undefined
  if (state.reason === 'ended')
    return 'All topics have ended. Publishing to one of them reopens it; press Follow to connect again.'
  const { error } = state
  const isDenied = error instanceof RefusedError && (error.status === 401 || error.status === 403)
  const advice = isDenied
    ? ' The tail needs a token that the keys of subscribers accept too.'
    : ' Press Follow to try again.'
  return `The server refused the stream: ${sentence(error?.message ?? 'no reason was given')}${advice}`
}
