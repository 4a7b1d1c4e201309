// What an endpoint is given, and what it looks like to the door. It does nothing.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Dialect } from '../auth/dialect.ts'
import type { Hub } from '../hub/hub.ts'
import type { Update } from '../update.ts'
import type { Access } from './access/access.ts'
import type { ProxyOptions } from './access/client-address.ts'
import type { OriginOptions } from './access/cors.ts'
import type { LimitOptions, Limits } from './access/limits.ts'
import type { AccessOptions } from './access/options.ts'
import type { Parameters } from './body.ts'

export interface HandlerOptions extends AccessOptions, OriginOptions, LimitOptions, ProxyOptions {
  /** Bytes that a body may have; default 1 MiB. */
  maxBody?: number
  /** Bytes that may wait in this process for one slow client; default 64 KiB. */
  highWaterMark?: number
  /** Milliseconds of silence after which the kernel asks whether a client is still there; 0 for never; default 15,000. */
  keepAlive?: number
  /** Answer only those who ask for this machine by a name of its own, such as localhost; default false. */
  localOnly?: boolean
}

/** Bounds on one request and its answer. */
export type Bounds = Required<Pick<HandlerOptions, 'maxBody' | 'highWaterMark' | 'keepAlive'>>

/** The span of one request to publish. */
export interface PublishSpan {
  /** Appends updates in a child span. */
  append<Result>(updates: readonly Update[], append: () => Promise<Result>): Promise<Result>
}

/** One request on its way to an answer. */
export interface RequestContext {
  readonly hub: Hub
  readonly options: Bounds
  readonly access: Access
  readonly limits: Limits
  /** Tells this request from others, in logs and in the header `X-Request-Id`. */
  readonly id: string
  /** Where the client is, without its port; `local` for a socket in the file system. */
  readonly address: string
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** In which dialect of Mercure it is to be answered, once that is known. */
  dialect?: Dialect
  /** The span that it is part of, where it publishes and spans are collected. */
  span?: PublishSpan
  /** The path as it was sent, percent-encoding and all. */
  readonly path: string
  /** @throws TidingsError `encoding_invalid` or `parameters_too_many` */
  query(): Parameters
}

/** The endpoints of one path, by method. */
export interface Route
  extends Partial<Record<'GET' | 'HEAD' | 'POST' | 'QUERY', (ctx: RequestContext) => Promise<void>>> {
  /** Sends an error; default `sendError` of `response.ts`. */
  sendError?(ctx: RequestContext, error: unknown): void
}
