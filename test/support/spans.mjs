// Collects spans through the OpenTelemetry API, as an SDK does. When loaded with `--import`, it prints each span as it ends.
import { trace } from '@opentelemetry/api'

export const spans = []

let spanCount = 0

class Tracer {
  startSpan(name, { attributes = {} } = {}, context) {
    const parent = context && trace.getSpanContext(context)
    const spanId = (++spanCount).toString(16).padStart(16, '0')
    const traceId = parent?.traceId ?? 'f'.repeat(32)
    const span = { name, traceId, spanId, parent, attributes: { ...attributes }, status: undefined, ended: false }
    spans.push(span)
    return {
      spanContext: () => ({ traceId, spanId, traceFlags: 1 }),
      setAttribute(key, value) {
        span.attributes[key] = value
        return this
      },
      setAttributes(more) {
        Object.assign(span.attributes, more)
        return this
      },
      setStatus(status) {
        span.status = status
        return this
      },
      end() {
        span.ended = true
        if (process.env.PRINT_SPANS) console.error(JSON.stringify({ span: name, traceId, parent: parent?.spanId }))
      }
    }
  }
}

export const provider = { getTracer: () => new Tracer() }

if (process.env.PRINT_SPANS) trace.setGlobalTracerProvider(provider)
