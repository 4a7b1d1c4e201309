// The contract between a subscriber and its client's connection. A connection knows HTTP and no topics.
import type { Entry } from '../log/log.ts'

/** Why a stream ended: the same word in logs, metrics and the debug page. */
export type CloseReason =
  /** The client closed the connection. */
  | 'client'
  /** The client read nothing for longer than `slowTimeout`. */
  | 'slow'
  /** Retention removed entries that the client had not read. It gets a gap when it resumes. */
  | 'gap'
  /** All topics of the stream have ended, and the client has everything up to the last end. */
  | 'ended'
  /** The client's token expired. */
  | 'expired'
  /** The stream reached `maxAge`. */
  | 'rotated'
  /** An operator closed the stream. The client reconnects. */
  | 'operator'
  /** The client's token was revoked. */
  | 'revoked'
  /** The hub is shutting down. */
  | 'shutdown'
  /** An internal error. */
  | 'error'

/** The claims of a client's token by which it can be revoked. One object may serve many connections. */
export interface TokenIdentity {
  /** The claim `sub`. */
  readonly subject?: string | undefined
  /** The claim `jti`. */
  readonly jti?: string | undefined
  /** The claim `iat`, in milliseconds since 1970. */
  readonly issuedAt?: number | undefined
}

/** The entries of a write, for a connection in this process, which needs no text. */
export interface EntryBatch {
  /** The number of entries. */
  readonly entries: number
  readonly contents: readonly Entry[]
}

/** One client's connection. */
export interface Connection {
  /** The client's address, for people to read. */
  readonly address: string
  /** The id of the request. */
  readonly request?: string
  /** The subject (`sub`) of the client's token. */
  readonly subject?: string | undefined
  /** The identity of the client's token. Without it, `subject` alone decides which revocations end the stream. */
  readonly token?: TokenIdentity | undefined
  /** Bytes buffered in this process for a client that reads slowly. */
  readonly buffered: number
  /**
   * Writes whole events. Returns false when the caller must wait for `onDrain` before it writes more. Without a batch, the bytes are
   * something else than entries, such as a heartbeat.
   */
  write(bytes: Buffer, batch?: EntryBatch): boolean
  /** Sets the function to call when a full connection has drained. */
  onDrain(drained: () => void): void
  /** Ends the stream after the bytes that were written, or at once when the client does not read. Safe to call twice. */
  end(reason: CloseReason): void
}
