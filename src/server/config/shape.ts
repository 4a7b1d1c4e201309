// What a server needs to know, once it has been read from wherever it stands. It reads nothing.
import type { Dialect } from '../../auth/dialect.ts'
import type { IssuerKeys } from '../../auth/verifier.ts'
import type { Durability } from '../../log/lmdb/options.ts'
import type { RetentionRule } from '../../log/retention/rules.ts'

/** What a server needs to know. Texts and lists that are empty say nothing. */
export interface Config {
  /** The file that the configuration was read from, if any. */
  readonly config: string
  readonly host: string
  readonly port: number
  /** Addresses to listen on instead of `host` and `port`: `host:port`, or `unix:` and a path. */
  readonly listen: readonly string[]
  readonly tlsCert: string
  readonly tlsKey: string
  readonly h2c: boolean
  readonly trustedProxies: readonly string[]
  readonly open: boolean
  /** Empty for history in memory. */
  readonly data: string
  readonly durability: Durability
  /** Address of a log that several servers share; empty for one of its own. */
  readonly log: string
  readonly logPrefix: string
  readonly logName: string
  readonly retention: readonly RetentionRule[]
  /** In milliseconds; 0 where what is published again is an update of its own. */
  readonly idempotent: number
  readonly publisherKey: string
  readonly subscriberKey: string
  readonly publisherJwks: string
  readonly subscriberJwks: string
  readonly publisherAlgorithms: readonly string[]
  readonly subscriberAlgorithms: readonly string[]
  readonly issuers: readonly (string | IssuerKeys)[]
  readonly audience: readonly string[]
  /** In milliseconds. */
  readonly clockTolerance: number
  readonly anonymous: boolean
  readonly authorize: string
  readonly authorizeHeaders: readonly string[]
  /** In milliseconds. */
  readonly authorizeTimeout: number
  readonly subscriptions: boolean
  readonly corsOrigins: readonly string[]
  readonly publishOrigins: readonly string[]
  readonly publicUrls: readonly string[]
  readonly cookieName: string
  readonly dialects: readonly Dialect[]
  /** Times are in milliseconds, sizes in bytes; a bound of 0 is none. */
  readonly heartbeat: number
  readonly slowTimeout: number
  readonly maxAge: number
  readonly presenceTimeout: number
  readonly drainTimeout: number
  readonly maxBody: number
  readonly maxConnections: number
  readonly maxConnectionsPerAddress: number
  readonly maxConnectionsPerSubject: number
  readonly publishRate: number
  readonly connectRate: number
  readonly maxMemory: number
  readonly opsListen: string
  readonly webhooks: readonly string[]
  readonly webhookEvents: readonly string[]
  readonly webhookKey: string
  readonly logLevel: LogLevel
  readonly logFormat: 'auto' | 'json' | 'pretty'
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'
