// Makes publish requests part of a distributed trace [W3C Trace Context]. It loads OpenTelemetry only if the process
// has registered a tracer.

import type { Context, Span, SpanOptions, Tracer } from '@opentelemetry/api'
import { TidingsError } from '../errors.ts'
import type { Update } from '../update.ts'
import type { HttpRequest } from './exchange.ts'
import type { RequestContext } from './request-context.ts'

type Api = typeof import('@opentelemetry/api')
type Endpoint = (ctx: RequestContext) => Promise<void>

interface Parent {
  readonly traceId: string
  readonly spanId: string
  readonly traceFlags: number
}

/** Maximum size of `tracestate`, in bytes. A larger one is dropped [Trace Context, 3.3.1.5]. */
const maxState = 512
const form = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/

/** The trace id of a request; undefined without a valid `traceparent`. */
export function traceOf(request: HttpRequest): string | undefined {
  return readParent(request)?.traceId
}

/** Wraps an endpoint that publishes in a span, if spans are collected. */
export function traced(publish: Endpoint): Endpoint {
  return (ctx) => (isCollected() ? publishInSpan(ctx, publish) : publish(ctx))
}

/** A later version may append fields, which are ignored. Version 00 has none [Trace Context, 3.2.4]. */
function readParent({ headers }: HttpRequest): Parent | undefined {
  const { traceparent } = headers
  const found = typeof traceparent === 'string' ? form.exec(traceparent) : null
  if (!found) return undefined
  const [, version, traceId = '', spanId = '', flags = '', more] = found
  if (version === '00' && more !== undefined) return undefined
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1 }
}

/** The global in which every copy of the OpenTelemetry API registers its providers. */
const registry = Symbol.for('opentelemetry.js.api.1')

function isCollected(): boolean {
  return (globalThis as { [registry]?: { trace?: unknown } })[registry]?.trace !== undefined
}

let loading: Promise<Api | undefined> | undefined

/** Undefined if the package is not installed. It is an optional peer dependency. */
function load(): Promise<Api | undefined> {
  loading ??= import('@opentelemetry/api').catch(() => undefined)
  return loading
}

async function publishInSpan(ctx: RequestContext, publish: Endpoint): Promise<void> {
  const api = await load()
  if (!api) return publish(ctx)
  const tracer = api.trace.getTracer('tidings')
  const options = { kind: api.SpanKind.SERVER, attributes: { 'messaging.system': 'tidings' } }
  const parent = parentOf(api, ctx.request)
  await inSpan(api, tracer, parent, 'tidings publish', options, (span, context) => {
    ctx.span = { append: (updates, append) => appendInSpan(api, tracer, span, context, updates, append) }
    return publish(ctx)
  })
}

/** An active span takes precedence over the header: other instrumentation has already made a span for the request. */
function parentOf(api: Api, request: HttpRequest): Context {
  const active = api.context.active()
  const parent = readParent(request)
  if (!parent || api.trace.getSpanContext(active)) return active
  const { tracestate } = request.headers
  const isKept = typeof tracestate === 'string' && Buffer.byteLength(tracestate) <= maxState
  const state = isKept ? { traceState: api.createTraceState(tracestate) } : {}
  return api.trace.setSpanContext(active, { ...parent, ...state, isRemote: true })
}

function appendInSpan<Result>(
  api: Api,
  tracer: Tracer,
  span: Span,
  parent: Context,
  updates: readonly Update[],
  append: () => Promise<Result>
): Promise<Result> {
  const attributes = {
    'messaging.system': 'tidings',
    'messaging.destination.name': updates[0]?.topics[0] ?? '',
    'messaging.batch.message_count': updates.length
  }
  span.setAttributes(attributes)
  return inSpan(api, tracer, parent, 'tidings append', { kind: api.SpanKind.INTERNAL, attributes }, append)
}

async function inSpan<Result>(
  api: Api,
  tracer: Tracer,
  parent: Context,
  name: string,
  options: SpanOptions,
  work: (span: Span, context: Context) => Promise<Result>
): Promise<Result> {
  const span = tracer.startSpan(name, options, parent)
  const context = api.trace.setSpan(parent, span)
  try {
    return await api.context.with(context, () => work(span, context))
  } catch (error) {
    // Only the code: the message may contain a client's data.
    const message = error instanceof TidingsError ? error.code : 'internal'
    span.setAttribute('error.type', message).setStatus({ code: api.SpanStatusCode.ERROR, message })
    throw error
  } finally {
    span.end()
  }
}
