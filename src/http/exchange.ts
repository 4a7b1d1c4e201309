// What an endpoint is given, and what it looks like to the door. It does nothing.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Hub } from '../hub/hub.ts'
import type { Parameters } from './body.ts'

export interface HandlerOptions {
  /** Bytes that a body may have; default 1 MiB. */
  maxBody?: number
  /** Bytes that may wait in this process for one slow client; default 64 KiB. */
  highWaterMark?: number
  /** Milliseconds of silence after which the kernel asks whether a client is still there; 0 for never; default 15,000. */
  keepAlive?: number
  /** Answer only those who ask for this machine by a name of its own, such as localhost; default false. */
  localOnly?: boolean
}

/** One request on its way to an answer. */
export interface Exchange {
  readonly hub: Hub
  readonly options: Required<HandlerOptions>
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly query: Parameters
}

/** What can be done at one path. */
export type Route = Partial<Record<'GET' | 'HEAD' | 'POST', (exchange: Exchange) => Promise<void>>>
