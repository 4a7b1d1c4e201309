// The type of the spans that `spans.mjs` collects.
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

/** All started spans, in order. */
export const spans: CollectedSpan[]
export const provider: TracerProvider
