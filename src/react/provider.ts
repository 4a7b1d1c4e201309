// Makes a hub available to the components below: TidingsProvider, and the store that the hooks find there.
import {
  createContext,
  createElement,
  type ReactElement,
  type ReactNode,
  useContext,
  useInsertionEffect,
  useState
} from 'react'
import { type HubOptions, Store } from './store.ts'

export type { HubOptions } from './store.ts'

export interface TidingsProviderProps extends HubOptions {
  readonly children?: ReactNode
}

const StoreContext = createContext<Store | undefined>(undefined)

/**
 * Gives the hooks below it a hub. They share one stream. Another function as `token` or `fetch` is used by the next request, and another
 * `from` by the next subscription. Any other change of an option makes the hooks subscribe again.
 */
export function TidingsProvider({ children, ...options }: TidingsProviderProps): ReactElement {
  const identity = identityOf(options)
  const [held, setHeld] = useState(() => ({ identity, store: new Store(options) }))
  let { store } = held
  if (held.identity !== identity) {
    store = new Store(options)
    setHeld({ identity, store })
  }
  // Before the effects of the hooks, which subscribe. Unlike a layout effect, it is no warning on a server with React 18.
  useInsertionEffect(() => {
    store.options = options
  })
  return createElement(StoreContext.Provider, { value: store }, children)
}

/** @param hook the name of the hook that asks, for the error */
export function useStore(hook: string): Store {
  const store = useContext(StoreContext)
  if (store) return store
  throw new Error(
    `${hook} needs a provider: render <TidingsProvider url="https://hub.example.com/subscribe"> above the component that calls it`
  )
}

/** Equal for options with which the stream can stay as it is. */
function identityOf({ url, from: _, token, fetch, ...options }: HubOptions): string {
  const text = typeof token === 'string' ? token : typeof token
  return JSON.stringify([String(url), text, typeof fetch, Object.entries(options).sort()])
}
