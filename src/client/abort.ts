// The time limit of a request that opens no stream.

/** How long a request may take, in milliseconds. */
const timeoutMs = 30_000

/** Aborts with the signal, or when the request has taken too long. `AbortSignal.any` needs Node 20.3 and Safari 17.4. */
export function limited(signal?: AbortSignal): AbortSignal {
  const limit = new AbortController()
  const timer = setTimeout(() => limit.abort(new Error(`no answer within ${timeoutMs / 1_000} s`)), timeoutMs)
  // In Node, the timer would keep the process alive.
  ;(timer as { unref?(): void }).unref?.()
  signal?.addEventListener('abort', () => limit.abort(signal.reason), { once: true, signal: limit.signal })
  return limit.signal
}
