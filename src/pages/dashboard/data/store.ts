// A value that components follow: they render again when it changes.
import { useEffect, useState } from 'preact/hooks'

export class Store<T> {
  #value: T
  readonly #followers = new Set<(value: T) => void>()

  constructor(value: T) {
    this.#value = value
  }

  get value(): T {
    return this.#value
  }

  set(value: T): void {
    if (Object.is(value, this.#value)) return
    this.#value = value
    for (const follower of [...this.#followers]) follower(value)
  }

  follow(follower: (value: T) => void): () => void {
    this.#followers.add(follower)
    return () => void this.#followers.delete(follower)
  }
}

export function useStore<T>(store: Store<T>): T {
  const [value, setValue] = useState(store.value)
  useEffect(() => {
    setValue(store.value)
    return store.follow((next) => setValue(() => next))
  }, [store])
  return value
}
