// The presence of a page in its group: messages to the other tabs, and the lock that makes one of them the leader.
import type { Message } from './messages.ts'

export interface PresenceHandlers {
  onMessage(message: Message): void
  /** Messages of the other tabs arrive from now on. */
  onPresent(): void
  /** This page leads the group until it leaves. */
  onLead(): void
}

export interface Presence {
  /** Identifies the tab. */
  readonly tab: string
  send(message: Message): void
  /** Calls back when the tab is gone: closed, crashed, or suspended. */
  watch(tab: string, gone: () => void): void
  leave(): void
}

interface LockManager {
  request(
    name: string,
    options: { signal: AbortSignal; mode?: 'shared' },
    granted: () => Promise<void> | void
  ): Promise<unknown>
}

interface Channel {
  onmessage: ((event: { data: unknown }) => void) | null
  postMessage(message: unknown): void
  close(): void
}

const page = globalThis as unknown as {
  navigator?: { locks?: LockManager }
  BroadcastChannel?: new (name: string) => Channel
}

/** Why tabs cannot share here; undefined if they can. */
export function obstacle(): string | undefined {
  if (!page.navigator?.locks) return 'there are no Web Locks here: browsers have them on https and localhost'
  return page.BroadcastChannel ? undefined : 'BroadcastChannel is not available'
}

/** A group of one page. */
export function aloneIn(handlers: PresenceHandlers): Presence {
  let isPresent = true
  queueMicrotask(() => {
    if (!isPresent) return
    handlers.onPresent()
    handlers.onLead()
  })
  return {
    tab: '',
    send: () => {},
    watch: () => {},
    leave: () => {
      isPresent = false
    }
  }
}

/** Joins a group of tabs. @param name distinguishes groups of the same origin */
export function joinTabs(name: string, handlers: PresenceHandlers): Presence {
  const locks = page.navigator?.locks as LockManager
  const channel = new (page.BroadcastChannel as NonNullable<typeof page.BroadcastChannel>)(name)
  const stay = new AbortController()
  const { signal } = stay
  const tab = crypto.getRandomValues(new Uint32Array(3)).join('-')
  const left = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
  /** Holds a lock until this page leaves. A request that is aborted is rejected. */
  const hold = (lock: string, granted: () => void) => {
    const isGranted = () => {
      if (signal.aborted) return
      granted()
      return left
    }
    locks.request(lock, { signal }, isGranted).catch(() => {})
  }
  channel.onmessage = ({ data }) => signal.aborted || handlers.onMessage(data as Message)
  // The leader must not find the lock free, so it is held before the first message is sent.
  hold(`${name} ${tab}`, () => {
    handlers.onPresent()
    hold(name, handlers.onLead)
  })
  return {
    tab,
    send: (message) => channel.postMessage(message),
    watch: (other, gone) => {
      if (other === tab) return
      const request = locks.request(`${name} ${other}`, { signal, mode: 'shared' }, () => {
        if (!signal.aborted) gone()
      })
      request.catch(() => {})
    },
    leave: () => {
      stay.abort()
      channel.close()
    }
  }
}
