// What `spans.mjs` collects.
import type { SpanContext, SpanStatus, TracerProvider } from '@opentelemetry/api'

export interface CollectedSpan {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parent: SpanContext | undefined
  readonly attributes: Record<string, unknown>
  readonly status: SpanStatus | undefined
  readonly ended: boolean
}

/** All that were begun, in order. */
export const spans: CollectedSpan[]
export const provider: TracerProvider
