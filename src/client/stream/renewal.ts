// Renews the token of a stream before it expires.
import { maxTimerMs, type Token } from '../token.ts'

/** The shortest time between two calls for a token, in milliseconds. */
const minDelayMs = 500

/**
 * Renews until the returned function is called.
 * @param renew resolves to false if the stream has to be opened again, for which `restart` is called
 */
export function renewInTime(
  token: Token,
  renew: ((token: string) => Promise<boolean>) | undefined,
  restart: () => void
): () => void {
  let isOver = false
  let timer: ReturnType<typeof setTimeout>
  const renewNow = async (): Promise<void> => {
    const before = token.expiresAt
    const fresh = await token.get().catch(() => undefined)
    if (isOver) return
    const isNewer = fresh !== undefined && token.expiresAt > before
    const isRenewed = isNewer && renew !== undefined && (await renew(fresh))
    if (isOver) return
    // A token that is no newer is asked for again, until the hub ends the stream.
    if (isRenewed || !isNewer) schedule()
    else restart()
  }
  const schedule = (): void => {
    const ms = token.renewIn
    if (ms <= maxTimerMs) timer = setTimeout(() => void renewNow(), Math.max(minDelayMs, ms))
  }
  schedule()
  return () => {
    isOver = true
    clearTimeout(timer)
  }
}
