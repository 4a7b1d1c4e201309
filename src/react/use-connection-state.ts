// The hook for the state of the page's stream.
import { useSyncExternalStore } from 'react'
import type { State } from '../client/index.ts'
import { useStore } from './provider.ts'
import { initialState } from './store.ts'

/**
 * The state of the stream, for a user interface: of all subscriptions of the provider, the one that needs attention most. A refusal comes
 * first, then `waiting`, `connecting`, `catching-up`, `live`, and `closed` for another reason. It is `connecting` before the first hook
 * has subscribed, and on the server.
 */
export function useConnectionState(): State {
  const store = useStore('useConnectionState')
  return useSyncExternalStore(
    store.onState,
    () => store.state,
    () => initialState
  )
}
