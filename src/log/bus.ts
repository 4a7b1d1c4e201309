// The contract of a bus: messages between the nodes that share a log. They are not part of the history, and nothing keeps them.
import { TidingsError } from '../errors.ts'

const maxMessageBytes = 2 ** 20

/** @throws TidingsError `body_too_large` */
export function checkMessage(message: string): void {
  const bytes = Buffer.byteLength(message)
  if (bytes <= maxMessageBytes) return
  const limit = `the limit of a message between servers is ${maxMessageBytes} bytes, got ${bytes}`
  throw new TidingsError('body_too_large', limit)
}

/**
 * Carries short messages from one node of a log to another. A message arrives once, or it is lost: when the receiver ends, or when the
 * log's server is lost meanwhile. A sender that needs an answer waits for it with a deadline. Messages from one node to another arrive in
 * the order of their `send` calls, if each call waited for the one before it.
 *
 * Messages arrive on nodes whose log is being followed.
 */
export interface Bus {
  /** The id of this node, which other nodes send to. It is public, has at most 32 letters, digits, `-` and `_`, and is never reused. */
  readonly node: string
  /** Sets the function that takes the messages for this node. It must not throw. */
  onMessage(take: (message: string) => void): void
  /**
   * Sends text to a node. Resolves with false when there is no such node, as far as is known: a node that ended without saying so is
   * known for a while.
   * @throws TidingsError `body_too_large` beyond 1 MiB, `log_unavailable`, `closed`
   */
  send(node: string, message: string): Promise<boolean>
}
