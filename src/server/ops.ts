// What operators and their machines ask: is it alive, is it ready, how is it doing. It knows no topic.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { TidingsError } from '../errors.ts'
import { answerText, refuse } from '../http/answer.ts'
import { requireReader } from '../http/asking.ts'
import type { Exchange, Route } from '../http/exchange.ts'
import { answerOptions, hasSeveralHosts, severalHosts, targetOf } from '../http/target.ts'
import type { Hub } from '../hub/hub.ts'
import type { Metrics } from './metrics.ts'

/** What is asked about. */
export interface Subject {
  readonly hub: Hub
  readonly metrics: Metrics
  /** Whether new clients are to be sent elsewhere, because the server stops. */
  readonly isStopping: () => boolean
}

/** Answers whether the server is alive or ready, where that is what was asked, and says whether it was. */
export function answerOps(subject: Subject, request: IncomingMessage, response: ServerResponse): boolean {
  const { path } = targetOf(request)
  if (path !== '/healthz' && path !== '/readyz') return false
  if (hasSeveralHosts(request)) refuse(request, response, new TidingsError('request_malformed', severalHosts))
  else if (request.method !== 'GET' && request.method !== 'HEAD') {
    answerText(response, 'This method is not allowed here: there are GET, HEAD.\n', { Allow: 'GET, HEAD' }, 405)
  } else if (path === '/healthz') answerText(response, 'ok\n')
  else answerReady(subject, response)
  return true
}

function answerReady({ hub, isStopping }: Subject, response: ServerResponse): void {
  const refuse = (text: string) => answerText(response, `${text}\n`, { 'Retry-After': '1' }, 503)
  if (isStopping()) refuse('stopping')
  else if (!hub.status.isReady) refuse('the log cannot be reached')
  else answerText(response, 'ready\n')
}

/** The figures, beside the other endpoints: they tell of others, so it takes the right to read the path, where there are rights. */
export function metricsRoutes({ metrics }: Subject): ReadonlyMap<string, Route> {
  const answer = async (exchange: Exchange) => {
    await requireReader(exchange, exchange.query())
    answerText(exchange.response, await metrics.text(), { 'Content-Type': metrics.contentType })
  }
  return new Map([['/metrics', { GET: answer, HEAD: answer }]])
}

/** All of it alone, for an address of its own that only operators reach. */
export function opsListener(subject: Subject): RequestListener {
  return (request, response) => {
    if (answerOps(subject, request, response) || answerOptions(request, response, ['GET', 'HEAD'])) return
    if (hasSeveralHosts(request)) refuse(request, response, new TidingsError('request_malformed', severalHosts))
    else if (targetOf(request).path === '/metrics') void answerMetrics(subject, response)
    else answerText(response, 'There is nothing here: there are /healthz, /readyz, /metrics.\n', {}, 404)
  }
}

async function answerMetrics({ hub, metrics }: Subject, response: ServerResponse): Promise<void> {
  try {
    answerText(response, await metrics.text(), { 'Content-Type': metrics.contentType })
  } catch (error) {
    hub.failed(error)
    response.destroy()
  }
}
