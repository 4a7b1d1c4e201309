// Checks whether Redis is configured to evict keys when its memory is full.
import { ErrorReply } from 'redis'
import type { RedisConnection } from './connection.ts'

/** What to change in the configuration of Redis; undefined when it is right, or when this user may not ask. */
export async function evictionAdvice(connection: RedisConnection): Promise<string | undefined> {
  const info = await connection.send(['INFO', 'memory']).catch((error: unknown) => {
    if (error instanceof ErrorReply) return ''
    throw error
  })
  const [, policy = 'noeviction'] = /^maxmemory_policy:(\S+)/m.exec(String(info)) ?? []
  if (policy === 'noeviction') return undefined
  const loss = policy.startsWith('allkeys')
    ? 'Redis may evict history when its memory is full, and every client then sees a gap'
    : 'Redis may evict idempotency keys when its memory is full, and a repeated update is then published twice'
  return `maxmemory-policy is ${policy}: ${loss}; set maxmemory-policy to noeviction`
}
