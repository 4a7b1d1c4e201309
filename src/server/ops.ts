// What operators and their machines ask: is it alive, is it ready, how is it doing. It knows no topic.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { TidingsError } from '../errors.ts'
import { requireReader } from '../http/access/authorize.ts'
import type { RequestContext, Route } from '../http/request-context.ts'
import { sendError, sendText } from '../http/response.ts'
import { answerOptions, hasSeveralHosts, severalHosts, targetOf } from '../http/target.ts'
import type { Hub } from '../hub/hub.ts'
import type { Metrics } from './metrics.ts'

/** What is asked about. */
export interface OpsContext {
  readonly hub: Hub
  readonly metrics: Metrics
  /** Whether new clients are to be sent elsewhere, because the server stops. */
  readonly isStopping: () => boolean
}

/** Answers whether the server is alive or ready, where that is what was asked, and says whether it was. */
export function answerOps(subject: OpsContext, request: IncomingMessage, response: ServerResponse): boolean {
  const { path } = targetOf(request)
  if (path !== '/healthz' && path !== '/readyz') return false
  if (hasSeveralHosts(request)) sendError(request, response, new TidingsError('request_malformed', severalHosts))
  else if (request.method !== 'GET' && request.method !== 'HEAD') {
    sendText(response, 'This method is not allowed here: there are GET, HEAD.\n', { Allow: 'GET, HEAD' }, 405)
  } else if (path === '/healthz') sendText(response, 'ok\n')
  else answerReady(subject, response)
  return true
}

function answerReady({ hub, isStopping }: OpsContext, response: ServerResponse): void {
  const sendError = (text: string) => sendText(response, `${text}\n`, { 'Retry-After': '1' }, 503)
  if (isStopping()) sendError('stopping')
  else if (!hub.status.isReady) sendError('the log cannot be reached')
  else sendText(response, 'ready\n')
}

/** The figures, beside the other endpoints: they tell of others, so it takes the right to read the path, where there are rights. */
export function metricsRoutes({ metrics }: OpsContext): ReadonlyMap<string, Route> {
  const answer = async (exchange: RequestContext) => {
    await requireReader(exchange, exchange.query())
    sendText(exchange.response, await metrics.text(), { 'Content-Type': metrics.contentType })
  }
  return new Map([['/metrics', { GET: answer, HEAD: answer }]])
}

/** All of it alone, for an address of its own that only operators reach. */
export function opsListener(subject: OpsContext): RequestListener {
  return (request, response) => {
    if (answerOps(subject, request, response) || answerOptions(request, response, ['GET', 'HEAD'])) return
    if (hasSeveralHosts(request)) sendError(request, response, new TidingsError('request_malformed', severalHosts))
    else if (targetOf(request).path === '/metrics') void answerMetrics(subject, response)
    else sendText(response, 'There is nothing here: there are /healthz, /readyz, /metrics.\n', {}, 404)
  }
}

async function answerMetrics({ hub, metrics }: OpsContext, response: ServerResponse): Promise<void> {
  try {
    sendText(response, await metrics.text(), { 'Content-Type': metrics.contentType })
  } catch (error) {
    hub.failed(error)
    response.destroy()
  }
}
