// The hook for updates as they arrive: a handler for each, a list of the newest ones, or both.
import { type RefObject, useInsertionEffect, useMemo, useRef } from 'react'
import type { Deletion, End, Gap, InvalidUpdate, Subscription, Update } from '../client/index.ts'
import type { Feed } from './feed.ts'
import { type Attach, type FollowOptions, useFeed } from './use-feed.ts'

/** The events of a subscription. Each render may pass other functions; the latest ones are called. */
export interface EventHandlers<T> {
  readonly onUpdate?: (update: Update<T>) => void
  /** Updates are missing. */
  readonly onGap?: (gap: Gap) => void
  /** The publisher deleted updates. They have already left the list. */
  readonly onDeleted?: (deletion: Deletion) => void
  /** The last update of its topics has arrived. */
  readonly onEnded?: (end: End) => void
  /** `parse` refused an update. Without this handler, it is reported with `console.error`. */
  readonly onInvalid?: (invalid: InvalidUpdate) => void
}

export interface UseEventsOptions<T> extends FollowOptions<T>, EventHandlers<T> {
  /** How many of the newest updates are returned. Default: 100, or 0 with `onUpdate`. */
  readonly limit?: number
}

const none: readonly never[] = []

/** Calls a handler for each update of these topics. The component does not render again. */
export function useEvents<T = unknown>(topics: string | readonly string[], onUpdate: (update: Update<T>) => void): void
/** Returns the newest updates of these topics, oldest first, and calls the handlers among the options. */
export function useEvents<T = unknown>(
  topics: string | readonly string[],
  options?: UseEventsOptions<T>
): readonly Update<T>[]
export function useEvents<T>(
  topics: string | readonly string[],
  given: UseEventsOptions<T> | ((update: Update<T>) => void) = {}
): readonly Update<T>[] {
  const options: UseEventsOptions<T> = typeof given === 'function' ? { onUpdate: given } : given
  const { limit = options.onUpdate ? 0 : 100 } = options
  const request = { hook: 'useEvents', topics, options, limit, isOnce: options.onUpdate !== undefined }
  const updates = useFeed(request, limit > 0 ? updatesOf<T> : nothing, useHandlers(options))
  // Another component may have asked for more.
  return useMemo(() => (updates.length > limit ? updates.slice(-limit) : updates), [updates, limit])
}

function updatesOf<T>(feed: Feed<T> | undefined): readonly Update<T>[] {
  return feed?.updates ?? none
}

function nothing(): readonly never[] {
  return none
}

/** Undefined without handlers. Other handlers are no change of it, since the latest ones are called. */
function useHandlers<T>(options: UseEventsOptions<T>): Attach<T> | undefined {
  const latest = useRef(options)
  useInsertionEffect(() => {
    latest.current = options
  })
  const { onUpdate, onGap, onDeleted, onEnded, onInvalid } = options
  const hasAny = Boolean(onUpdate ?? onGap ?? onDeleted ?? onEnded ?? onInvalid)
  const hasInvalid = Boolean(onInvalid)
  return useMemo(
    () => (hasAny ? (subscription) => attach(subscription, latest, hasInvalid) : undefined),
    [hasAny, hasInvalid]
  )
}

function attach<T>(
  subscription: Subscription<T>,
  latest: RefObject<EventHandlers<T>>,
  hasInvalid: boolean
): () => void {
  const detach = [
    subscription.on('update', (update) => latest.current.onUpdate?.(update)),
    subscription.on('gap', (gap) => latest.current.onGap?.(gap)),
    subscription.on('deleted', (deletion) => latest.current.onDeleted?.(deletion)),
    subscription.on('ended', (end) => latest.current.onEnded?.(end))
  ]
  if (hasInvalid) detach.push(subscription.on('invalid', (invalid) => latest.current.onInvalid?.(invalid)))
  return () => {
    for (const remove of detach) remove()
  }
}
