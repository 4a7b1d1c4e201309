// The time limit of a request that opens no stream, and waits that a signal ends.

/** How long a request may take, in milliseconds. */
export const timeoutMs = 30_000

/** Aborts when the request has taken too long. */
export function limited(): AbortSignal {
  return AbortSignal.timeout(timeoutMs)
}

/**
 * Rejects when the signal is aborted or the work takes too long, and aborts the work's own signal then. Work that ignores its signal, such as
 * an application's function for tokens, holds nothing up. `AbortSignal.any` needs Node 20.3 and Safari 17.4.
 */
export function withTimeLimit<T>(
  ms: number,
  work: (signal: AbortSignal) => Promise<T>,
  signal?: AbortSignal
): Promise<T> {
  return new Promise((resolve, reject) => {
    const limit = new AbortController()
    const abort = (reason: unknown) => {
      reject(reason)
      limit.abort(reason)
    }
    const timer = setTimeout(() => abort(new Error(`no answer within ${ms / 1_000} s`)), ms)
    signal?.addEventListener('abort', () => abort(signal.reason), { signal: limit.signal })
    work(limit.signal)
      .then(resolve, reject)
      // Also removes the listener.
      .finally(() => limit.abort(clearTimeout(timer)))
  })
}

/** Resolves after so many milliseconds, or when the signal is aborted. */
export function delay(ms: number, signal?: AbortSignal): Promise<void> {
  return withTimeLimit<void>(ms, () => new Promise(() => {}), signal).catch(() => {})
}
