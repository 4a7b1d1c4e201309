// Renews the token of a stream before it expires.
import { maxTimerMs, type Token } from '../token.ts'

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
    // With a token that is no newer, the hub ends the stream, and the next attempt asks for another one.
    if (isOver || !fresh || token.expiresAt <= before) return
    const isRenewed = renew !== undefined && (await renew(fresh))
    if (isOver) return
    if (isRenewed) schedule()
    else restart()
  }
  const schedule = (): void => {
    const ms = token.renewIn
    if (ms <= maxTimerMs) timer = setTimeout(() => void renewNow(), Math.max(0, ms))
  }
  schedule()
  return () => {
    isOver = true
    clearTimeout(timer)
  }
}
