// What a browser reports about its page and network. Outside of browsers nothing is reported.

interface Target {
  addEventListener?(
    type: string,
    listener: (event: { persisted?: boolean }) => void,
    options: { signal: AbortSignal }
  ): void
}

const page = globalThis as Target & { document?: Target & { hidden: boolean } }

/** Two reports within so many milliseconds are about the same event. */
const sameMs = 1_000

export interface PageEvents {
  /** The network is back, or the page continues after it was suspended: check the connection now. */
  readonly woke: (isSuspect: boolean) => void
  /** The network is gone. */
  readonly offline: () => void
  readonly visibility: (isHidden: boolean) => void
  /** The page may never run again. */
  readonly leaving: () => void
}

/** Reports until the signal is aborted. */
export function observePage({ woke, offline, visibility, leaving }: PageEvents, signal: AbortSignal): void {
  const options = { signal }
  let suspectAt = Number.NEGATIVE_INFINITY
  // A page that returns from the back/forward cache reports it twice in some browsers. Its new connection is no suspect.
  const continued = () => {
    const before = suspectAt
    suspectAt = performance.now()
    woke(suspectAt - before > sameMs)
  }
  page.addEventListener?.('online', () => woke(false), options)
  page.addEventListener?.('offline', offline, options)
  page.addEventListener?.('pagehide', leaving, options)
  page.document?.addEventListener?.('freeze', leaving, options)
  // A page from the back/forward cache has lost its connections.
  page.addEventListener?.('pageshow', ({ persisted }) => persisted && continued(), options)
  page.document?.addEventListener?.('resume', continued, options)
  page.document?.addEventListener?.(
    'visibilitychange',
    () => {
      visibility(isPageHidden())
      if (!isPageHidden()) woke(false)
    },
    options
  )
}

export function isPageHidden(): boolean {
  return page.document?.hidden === true
}
