// What useTopic and useEvents have in common: a component follows a feed while it is mounted.
import { useCallback, useMemo, useRef, useSyncExternalStore } from 'react'
import type { Parse, Subscription } from '../client/index.ts'
import type { Feed, FeedSpec } from './feed.ts'
import { useStore } from './provider.ts'
import type { Store } from './store.ts'

/** The options that useTopic and useEvents share. */
export interface FollowOptions<T> {
  /** How data is read, as for `subscribe`. It counts when the hook subscribes; components share a subscription if it is the same. */
  readonly parse?: Parse<T>
  /** Continue after this id; an empty text means new updates only. Default: `from` of the provider. It counts when the hook subscribes. */
  readonly from?: string
  /** Without `from`, start with the newest N updates. It counts when the hook subscribes. */
  readonly last?: number
  /** With `false`, the hook does not subscribe. Default: true. */
  readonly enabled?: boolean
}

/** Adds the handlers of a hook to a subscription. Returns a function that removes them. */
export type Attach<T> = (subscription: Subscription<T>) => () => void

/** What a hook follows, as its caller wrote it. */
export interface Request<T> {
  /** The name of the hook, for errors. */
  readonly hook: string
  readonly topics: string | readonly string[]
  readonly options: FollowOptions<T>
  /** How many of the newest updates the hook needs. */
  readonly limit: number
  /** Whether its handlers must get each update once. */
  readonly isOnce: boolean
}

/**
 * Follows a feed while the component is mounted. Topics are compared by content.
 * @param snapshotOf what the hook shows of a feed; undefined is for a page that has none yet, such as on the server
 * @param attach adds handlers
 */
export function useFeed<T, Snapshot>(
  request: Request<T>,
  snapshotOf: (feed: Feed<T> | undefined) => Snapshot,
  attach?: Attach<T>
): Snapshot {
  const { options, limit, isOnce } = request
  const store = useStore(request.hook)
  const key = JSON.stringify([...new Set([request.topics].flat())].sort())
  // biome-ignore lint/correctness/useExhaustiveDependencies: the other options count when the hook subscribes
  const spec = useMemo(() => specOf(store, key, options, limit), [store, key, limit])
  // No topics means none: a list that is still empty must not subscribe to everything.
  const isActive = options.enabled !== false && spec.topics.length > 0
  const followed = useRef<{ readonly spec: FeedSpec<T>; readonly feed: Feed<T> }>(undefined)
  const position = useRef<Position>(undefined)

  const subscribe = useCallback(
    (onChange: () => void) => {
      if (!isActive) return () => {}
      const start = (isOnce && startAfter(position.current, store, spec)) || spec.start
      const { feed, leave } = store.follow({ ...spec, start }, attach !== undefined, onChange)
      const detach = attach?.(feed.subscription)
      followed.current = { spec, feed }
      return () => {
        followed.current = undefined
        const { lastEventId } = feed.subscription
        if (lastEventId !== '') position.current = { url: store.url, topics: spec.topics, from: lastEventId }
        detach?.()
        leave()
      }
    },
    [store, spec, isActive, isOnce, attach]
  )
  const current = () => (followed.current?.spec === spec ? followed.current.feed : store.find(spec))
  return useSyncExternalStore(
    subscribe,
    () => snapshotOf(isActive ? current() : undefined),
    () => snapshotOf(undefined)
  )
}

/** Where the handlers of a component have stopped. */
interface Position {
  /** The hub that made the id. */
  readonly url: string
  readonly topics: readonly string[]
  readonly from: string
}

/** Where handlers that have stopped there continue. Undefined if they have none of the topics yet, and can begin as others do. */
function startAfter(position: Position | undefined, store: Store, spec: { readonly topics: readonly string[] }) {
  const hasCommon = position?.url === store.url && spec.topics.some((topic) => position.topics.includes(topic))
  return hasCommon ? { from: position.from, last: undefined } : undefined
}

function specOf<T>(store: Store, key: string, options: FollowOptions<T>, limit: number): FeedSpec<T> {
  const { parse = 'json', from = store.options.from, last } = options
  return { key, topics: JSON.parse(key) as string[], parse, limit, start: { from: from || undefined, last } }
}
