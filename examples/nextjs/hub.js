// The hub of this process. In development, a change of this file makes a new module. The hub and its subscribers stay.
import { createHub } from 'tidings'

function openHub() {
  const hub = createHub({ retention: [{ match: 'messages', last: 100 }] })
  // Next.js ends when its connections have ended, and a stream ends when the hub closes.
  process.once('SIGTERM', () => hub.close())
  return hub
}

globalThis.hub ??= openHub()
export const { hub } = globalThis
