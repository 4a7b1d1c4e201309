// A document of the server that a component keeps up to date while it is shown and the page is visible.
import { useEffect, useState } from 'preact/hooks'
import { sentenceFor } from '../../shared/refusal.ts'
import { get } from './api.ts'
import { useStore } from './store.ts'
import { token } from './token.ts'

export interface Polled<T> {
  /** The newest answer; undefined before the first. */
  readonly value: T | undefined
  /** Why the newest request failed; undefined if it did not. */
  readonly error: string | undefined
}

/** @param url undefined requests nothing. A change of the URL drops the answer. */
export function usePolled<T>(url: URL | undefined, everyMs: number): Polled<T> & { readonly refresh: () => void } {
  const [answer, setAnswer] = useState<Polled<T> & { readonly of: string }>({
    of: '',
    value: undefined,
    error: undefined
  })
  const [round, setRound] = useState(0)
  const used = useStore(token)
  const address = url?.href ?? ''
  // biome-ignore lint/correctness/useExhaustiveDependencies: another token or a refresh requests again
  useEffect(() => {
    if (!address) return
    const poller = new Poller<T>(address, everyMs, (next) => {
      setAnswer((last) => ({
        of: address,
        value: next.value ?? (last.of === address ? last.value : undefined),
        error: next.error
      }))
    })
    return () => poller.stop()
  }, [address, everyMs, used, round])
  const { value, error } = answer.of === address ? answer : { value: undefined, error: undefined }
  return { value, error, refresh: () => setRound((last) => last + 1) }
}

class Poller<T> {
  readonly #address: string
  readonly #everyMs: number
  readonly #answered: (answer: Polled<T>) => void
  readonly #abort = new AbortController()
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(address: string, everyMs: number, answered: (answer: Polled<T>) => void) {
    this.#address = address
    this.#everyMs = everyMs
    this.#answered = answered
    document.addEventListener('visibilitychange', this.#shown)
    void this.#ask()
  }

  stop(): void {
    document.removeEventListener('visibilitychange', this.#shown)
    clearTimeout(this.#timer)
    this.#abort.abort()
  }

  readonly #shown = (): void => {
    if (document.hidden || this.#timer === undefined) return
    clearTimeout(this.#timer)
    void this.#ask()
  }

  async #ask(): Promise<void> {
    const { signal } = this.#abort
    this.#timer = undefined
    if (!document.hidden) {
      const answer = await get<T>(new URL(this.#address), signal).then(
        (value): Polled<T> => ({ value, error: undefined }),
        (error: unknown): Polled<T> => ({ value: undefined, error: sentenceFor(error) })
      )
      if (signal.aborted) return
      this.#answered(answer)
    }
    this.#timer = setTimeout(() => void this.#ask(), this.#everyMs)
  }
}
