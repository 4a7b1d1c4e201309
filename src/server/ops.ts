// The endpoints for operators: /healthz, /readyz and /metrics.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { requireReader } from '../http/access/authorize.ts'
import type { RequestContext, Route } from '../http/request-context.ts'
import { sendError, sendText } from '../http/response.ts'
import { answerOptions, hostError, targetOf } from '../http/target.ts'
import type { Hub } from '../hub/hub.ts'
import { metricsType } from './metrics.ts'

export interface OpsContext {
  readonly hub: Hub
  /** The metrics in the text format of Prometheus. */
  readonly metricsText: () => Promise<string>
  /** A stopping server is not ready, so that load balancers send new clients elsewhere. */
  readonly isStopping: () => boolean
}

/** Answers /healthz and /readyz. Returns false for other paths, which are left to the caller. */
export function answerOps(context: OpsContext, request: IncomingMessage, response: ServerResponse): boolean {
  const { path } = targetOf(request)
  if (path !== '/healthz' && path !== '/readyz') return false
  const ambiguous = hostError(request)
  if (ambiguous) sendError(request, response, ambiguous)
  else if (request.method !== 'GET' && request.method !== 'HEAD') {
    sendText(response, 'This method is not allowed here: use GET or HEAD.\n', { Allow: 'GET, HEAD' }, 405)
  } else if (path === '/healthz') sendText(response, 'ok\n')
  else answerReady(context, response)
  return true
}

function answerReady({ hub, isStopping }: OpsContext, response: ServerResponse): void {
  const refuse = (text: string) => sendText(response, `${text}\n`, { 'Retry-After': '1' }, 503)
  if (isStopping()) refuse('stopping')
  else if (!hub.status.isReady) refuse('the log cannot be reached')
  else sendText(response, 'ready\n')
}

/** /metrics next to the other endpoints. With keys, it requires a token that may read the topic /metrics. */
export function metricsRoutes({ metricsText }: OpsContext): ReadonlyMap<string, Route> {
  const answer = async (ctx: RequestContext) => {
    await requireReader(ctx, ctx.query())
    sendText(ctx.response, await metricsText(), { 'Content-Type': metricsType })
  }
  return new Map([['/metrics', { GET: answer, HEAD: answer }]])
}

/** All three endpoints, without authorization, for an address that only operators can reach. */
export function opsListener(context: OpsContext): RequestListener {
  return (request, response) => {
    if (answerOps(context, request, response) || answerOptions(request, response, ['GET', 'HEAD'])) return
    const ambiguous = hostError(request)
    if (ambiguous) sendError(request, response, ambiguous)
    else if (targetOf(request).path === '/metrics') void answerMetrics(context, response)
    else sendText(response, 'There is nothing here: use /healthz, /readyz or /metrics.\n', {}, 404)
  }
}

async function answerMetrics({ hub, metricsText }: OpsContext, response: ServerResponse): Promise<void> {
  try {
    sendText(response, await metricsText(), { 'Content-Type': metricsType })
  } catch (error) {
    hub.failed(error)
    response.destroy()
  }
}
