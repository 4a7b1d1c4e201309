// The operator's token, and whether the server accepts it. The token lasts as long as the tab, and is never part of a URL.
import { sentence } from '../../shared/refusal.ts'
import { Store } from './store.ts'

export type Access =
  | { readonly status: 'unknown' }
  | { readonly status: 'granted' }
  /** `message` is what the server answered. */
  | { readonly status: 'refused'; readonly code: number; readonly message: string }

const key = 'tidings.dashboard.token'

export const token = new Store(sessionStorage.getItem(key) ?? '')
export const access = new Store<Access>({ status: 'unknown' })

export function enterToken(text: string): void {
  const value = text.trim()
  if (value) sessionStorage.setItem(key, value)
  else sessionStorage.removeItem(key)
  access.set({ status: 'unknown' })
  token.set(value)
}

export function grant(): void {
  if (access.value.status !== 'granted') access.set({ status: 'granted' })
}

/** The server refused a request for data. The page then asks for another token. */
export function refuse(code: number, message: string): void {
  access.set({ status: 'refused', code, message: sentence(message) })
}
