// The head and the first bytes of a stream of the simple API.
import type { OutgoingHttpHeaders } from 'node:http'
import type { StreamPosition } from '../../hub/history/position.ts'
import { encode, encodePosition, heartbeat } from '../../sse/encode.ts'
import { commonHeaders, encodeHeader } from '../response.ts'

/** A page that is rendered now has to continue from the position that `HEAD` returns. */
export function streamHeaders({ requested, id }: StreamPosition, isHead: boolean): OutgoingHttpHeaders {
  return {
    ...commonHeaders,
    'Content-Type': 'text/event-stream',
    // [RFC 9111, 5.2.2.6] `no-transform` prevents compression, which would delay events.
    'Cache-Control': 'no-cache, no-store, no-transform',
    'X-Accel-Buffering': 'no',
    ...((requested || isHead) && { 'Last-Event-ID': encodeHeader(id), 'Mercure-Last-Event-ID': encodeHeader(id) })
  }
}

/**
 * The first bytes: a comment, so that proxies and browsers see the response at once, then the gap or the position. A
 * client that loses its connection before the first event resumes from this position, and misses nothing.
 */
export function streamHead({ id, gap }: StreamPosition, lastEventId: string | undefined): string {
  if (gap) return heartbeat + encode({ type: 'tidings:gap', id, data: JSON.stringify(gap) })
  return id === lastEventId ? heartbeat : heartbeat + encodePosition(id)
}
