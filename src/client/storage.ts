// Remembers the last event id across page loads. It is written a few times per second at most.

/** `localStorage`, `sessionStorage`, or anything with these two methods. */
export interface PositionStorage {
  getItem(key: string): string | null
  setItem(key: string, value: string): void
}

export interface SavedPosition {
  read(): string | undefined
  /** Writes the id soon. */
  write(id: () => string): void
  flush(id: string): void
}

const delayMs = 200

/** @param url distinguishes the positions of one page */
export function savedPosition(storage: PositionStorage, url: string): SavedPosition {
  const key = `tidings:${url}`
  let timer: ReturnType<typeof setTimeout> | undefined
  const flush = (id: string) => {
    clearTimeout(timer)
    timer = undefined
    try {
      if (id !== '') storage.setItem(key, id)
    } catch {
      // The storage is full or forbidden. The stream goes on without it.
    }
  }
  return {
    read: () => {
      try {
        return storage.getItem(key) ?? undefined
      } catch {
        return undefined
      }
    },
    write: (id) => {
      timer ??= setTimeout(() => flush(id()), delayMs)
    },
    flush
  }
}
