// The options of a handler, and what an endpoint receives with a request.

import type { Dialect } from '../auth/dialect.ts'
import type { Hub } from '../hub/hub.ts'
import type { Update } from '../update.ts'
import type { Access } from './access/access.ts'
import type { ProxyOptions } from './access/client-address.ts'
import type { OriginOptions } from './access/cors.ts'
import type { Limiter, LimitOptions } from './access/limits.ts'
import type { AccessOptions } from './access/options.ts'
import type { Parameters } from './body.ts'
import type { DashboardOptions } from './dashboard/options.ts'
import type { HubDescription } from './description.ts'
import type { HttpRequest, HttpResponse } from './exchange.ts'
import type { MountOptions } from './mount.ts'

/**
 * The options of `createHandler`. All are optional. Without keys and `authorize`, everyone may publish and subscribe.
 *
 * Durations are numbers of milliseconds unless a comment says otherwise, and sizes are numbers of bytes. A value that
 * cannot be used makes `createHandler` throw an error that names the option.
 */
export interface HandlerOptions
  extends MountOptions,
    AccessOptions,
    OriginOptions,
    LimitOptions,
    ProxyOptions,
    DashboardOptions {
  /** Maximum size of a request body, in bytes; default 1 MiB (1,048,576). A larger body gets 413 `body_too_large`. */
  maxBody?: number
  /**
   * Bytes that may wait in this process for one slow client, besides one batch; default 64 KiB (65,536). A client with
   * more is behind, and continues from the log when it has read them.
   */
  highWaterMark?: number
  /**
   * Answer only requests whose `Host` is `localhost` or a loopback address; default false. This protects a server for
   * one machine against DNS rebinding. Other requests get 403 `host_refused`.
   */
  localOnly?: boolean
  /**
   * Let publishers delete history with `DELETE /updates`, for the topics that they may publish to; default false. Otherwise they get
   * 403 `deletion_disabled`.
   */
  allowDelete?: boolean
}

/** The options that endpoints read. */
export type Bounds = Required<Pick<HandlerOptions, 'maxBody' | 'highWaterMark' | 'allowDelete'>>

/** The span of a publish request. */
export interface PublishSpan {
  /** Calls `append` in a child span. */
  append<Result>(updates: readonly Update[], append: () => Promise<Result>): Promise<Result>
}

/** A request, with the parts of the handler that its endpoint needs. */
export interface RequestContext {
  readonly hub: Hub
  readonly options: Bounds
  readonly access: Access
  readonly limits: Limiter
  /** Describes the hub with its first streams, for the debug page. */
  readonly describe: (limit: number) => HubDescription | Promise<HubDescription>
  /** Identifies the request in logs and in the header `X-Request-Id`. */
  readonly id: string
  /** The client's address, without a port; `local` for a Unix socket. */
  readonly address: string
  readonly request: HttpRequest
  readonly response: HttpResponse
  /** The dialect of Mercure to answer in, once it is known. */
  dialect?: Dialect
  /** The span of the request, if it publishes and spans are collected. */
  span?: PublishSpan
  /** The path at which the hub is mounted; empty for the root. */
  readonly mount: string
  /** The path below the mount, percent-encoded as sent. */
  readonly path: string
  /** @throws TidingsError `encoding_invalid` or `parameters_too_many` */
  query(): Parameters
}

/** The endpoints of one path, by method. */
export interface Route
  extends Partial<
    Record<'GET' | 'HEAD' | 'POST' | 'QUERY' | 'PATCH' | 'DELETE', (ctx: RequestContext) => Promise<void>>
  > {
  /** Sends an error; default `sendError` of `response.ts`. */
  sendError?(ctx: RequestContext, error: unknown): void
}
