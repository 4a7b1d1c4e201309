// The feeds below one provider. Hooks that follow the same topics share a feed, which outlives them for a moment.
import { type State, type SubscribeOptions, type Subscription, subscribe } from '../client/index.ts'
import { Feed, type FeedSpec } from './feed.ts'

type ClientOptions = Pick<
  SubscribeOptions<unknown>,
  | 'token'
  | 'from'
  | 'shared'
  | 'group'
  | 'credentials'
  | 'dialect'
  | 'fetch'
  | 'pauseWhenHidden'
  | 'idleTimeout'
  | 'openTimeout'
>

/** What all hooks below a provider share. */
export interface HubOptions extends ClientOptions {
  /** The stream endpoint, such as `https://hub.example.com/subscribe`. */
  readonly url: string | URL
  /**
   * The id of the page that the server rendered: every hook continues after it, unless it has its own `from`. Default: new updates only. A
   * later change concerns only hooks that subscribe afterwards.
   */
  readonly from?: string
  /** `page`, the default: one stream for the page; `true`: one for all tabs of the browser; `false`: one for each subscription. */
  readonly shared?: boolean | 'page'
}

/**
 * How long a feed without hooks stays open, in milliseconds. Strict mode, and a change of the page that shows the same topics again, then
 * cost no new subscription.
 */
const lingerMs = 1_000

/** The state before the first hook has subscribed, and on the server. */
export const initialState: State = { status: 'connecting' }

type AnyFeed = Feed<unknown>

export class Store {
  /** Those of the latest render. */
  options: HubOptions
  readonly url: string
  readonly #feeds = new Set<AnyFeed>()
  readonly #timers = new Map<AnyFeed, ReturnType<typeof setTimeout>>()
  readonly #listeners = new Set<() => void>()
  readonly #relays: Pick<ClientOptions, 'token' | 'fetch'>
  #state = initialState

  constructor(options: HubOptions) {
    this.options = options
    this.url = String(options.url)
    this.#relays = this.#relaysOf(options)
  }

  /** The feed that a hook would follow, if there is one already. */
  find<T>(spec: FeedSpec<T>): Feed<T> | undefined {
    return this.#search(spec, (feed) => feed.beganAt(spec.start))
  }

  /**
   * Follows a feed, and opens it if there is none.
   * @param isExact whether the hook needs every update after the start of `spec`, and not only the newest ones
   * @param onChange called when the updates of the feed have changed
   */
  follow<T>(
    spec: FeedSpec<T>,
    isExact: boolean,
    onChange: () => void
  ): { readonly feed: Feed<T>; readonly leave: () => void } {
    const found = this.#search(spec, (feed) => (isExact ? feed.isAt(spec.start) : feed.beganAt(spec.start)))
    const feed = found ?? new Feed(spec, this.#subscribe(spec), () => this.#changed())
    const known = feed as AnyFeed
    this.#feeds.add(known)
    clearTimeout(this.#timers.get(known))
    this.#timers.delete(known)
    const unfollow = feed.follow(onChange)
    this.#changed()
    const leave = () => {
      unfollow()
      if (!feed.isFollowed) this.#closeSoon(known)
    }
    return { feed, leave }
  }

  /** The state of the page's stream: of all feeds, the one that needs attention most. */
  get state(): State {
    const followed = [...this.#feeds].filter((feed) => feed.isFollowed)
    const states = (followed.length > 0 ? followed : [...this.#feeds]).map((feed) => feed.state)
    const [state = initialState] = states.sort((a, b) => urgencyOf(a) - urgencyOf(b))
    // Feeds that share a stream have equal states, which must not be a change for React.
    if (!isEqual(state, this.#state)) this.#state = state
    return this.#state
  }

  /** Calls the listener when `state` may have changed, until the returned function is called. */
  readonly onState = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  #search<T>(spec: FeedSpec<T>, isWanted: (feed: Feed<T>) => boolean): Feed<T> | undefined {
    // Nothing more comes from a closed feed. A component that is shown again tries again.
    const isOver = (feed: Feed<T>) => feed.state.status === 'closed' && !feed.isFollowed
    const feeds = [...this.#feeds] as unknown as Feed<T>[]
    return feeds.find((feed) => feed.isFor(spec) && isWanted(feed) && !isOver(feed))
  }

  #subscribe<T>({ topics, parse, start: { from, last } }: FeedSpec<T>): Subscription<T> {
    const { url, from: _, shared = 'page', ...options } = this.options
    const all: SubscribeOptions<T> = {
      ...options,
      ...this.#relays,
      shared,
      topics,
      parse,
      ...(from !== undefined && { from }),
      ...(last !== undefined && { last })
    }
    return subscribe<T>(url, all)
  }

  /**
   * An application may write its functions where it renders the provider. Each render then makes others, and the stream uses the latest.
   * A token that is a text is not renewable, so it stays a text.
   */
  #relaysOf({ token, fetch }: HubOptions): Pick<ClientOptions, 'token' | 'fetch'> {
    const latestToken = () => {
      const { token: latest } = this.options
      return typeof latest === 'function' ? latest() : latest
    }
    const latestFetch: typeof globalThis.fetch = (...request) => {
      const { fetch: latest = globalThis.fetch } = this.options
      return latest(...request)
    }
    return { ...(typeof token === 'function' && { token: latestToken }), ...(fetch && { fetch: latestFetch }) }
  }

  #closeSoon(feed: AnyFeed): void {
    if (feed.state.status === 'closed') this.#close(feed)
    else
      this.#timers.set(
        feed,
        setTimeout(() => this.#close(feed), lingerMs)
      )
    this.#changed()
  }

  #close(feed: AnyFeed): void {
    this.#timers.delete(feed)
    this.#feeds.delete(feed)
    feed.subscription.close()
    this.#changed()
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener()
  }
}

/** The lowest first: an error must be seen, and a page is live only if all of it is. */
function urgencyOf(state: State): number {
  if (state.status === 'closed' && state.reason === 'refused') return -1
  return ['waiting', 'connecting', 'catching-up', 'live', 'closed'].indexOf(state.status)
}

function isEqual(one: State, other: State): boolean {
  const members = (state: State): Record<string, unknown> => ({ ...state })
  const names = new Set([...Object.keys(one), ...Object.keys(other)])
  return [...names].every((name) => members(one)[name] === members(other)[name])
}
