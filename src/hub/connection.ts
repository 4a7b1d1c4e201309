// The contract between a subscriber and its client's end of the stream. A connection knows HTTP and no topics.

/** The one word for why a stream ended: the same in log, metric, dashboard and test. */
export type CloseReason =
  /** The client went away. */
  | 'client'
  /** The client read nothing for longer than `slowTimeout`. */
  | 'slow'
  /** Retention removed what the client was still to read; it is told when it resumes. */
  | 'gap'
  /** The client's right to read ended. */
  | 'expired'
  /** The stream reached its greatest age. */
  | 'rotated'
  /** The client's right to read was taken back. */
  | 'revoked'
  /** The hub is shutting down. */
  | 'shutdown'
  /** Something went wrong on our side. */
  | 'error'

/** One client's end of a stream. */
export interface Connection {
  /** Where the client is, for people to read. */
  readonly address: string
  /** The id of the request that it answers, where there is one. */
  readonly request?: string
  /** Who reads it, as the issuer of its token calls it, where that says so. */
  readonly subject?: string | undefined
  /** Bytes that wait in this process for the client to read on. */
  readonly buffered: number
  /** Writes whole events. False when no more should be written until the drain function has been called. */
  write(bytes: Buffer): boolean
  /** Sets the function to call when a full connection has emptied. */
  onDrain(drained: () => void): void
  /** Ends the stream after what was written, or at once where the client would never read it. Safe to call twice. */
  end(reason: CloseReason): void
}
