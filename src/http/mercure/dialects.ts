// What the endpoints of Mercure share: the dialects by name, headers, and how a refusal is told. It reads no parameter.
import type { OutgoingHttpHeaders } from 'node:http'
import type { Dialect } from '../../auth/dialect.ts'
import { TidingsError } from '../../errors.ts'
import { AccessError } from '../access/access.ts'
import type { RequestContext } from '../request-context.ts'
import { retryHeaders, sendText } from '../response.ts'
import type { MercureDialect } from './dialect.ts'
import { v0 } from './v0.ts'
import { v1 } from './v1.ts'

export const dialects: Record<Dialect, MercureDialect> = { '1.0': v1, '0.x': v0 }

/** On every answer of Mercure's endpoints, as the reference hub sends them. */
export const securityHeaders: OutgoingHttpHeaders = {
  'Content-Security-Policy': "default-src 'self'",
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'X-Xss-Protection': '1; mode=block'
}

/** Refuses in the dialect that the request is in, as far as that could be told. */
export function sendDialectError(ctx: RequestContext, error: unknown): void {
  const { access, response } = ctx
  if (response.headersSent) {
    response.destroy()
    return
  }
  // Whatever is not a refusal is our own fault, and none of the client's business.
  const refusal = error instanceof TidingsError ? error : new TidingsError('internal')
  const { status, text, headers } = dialects[dialectOf(ctx, refusal)].describeError(refusal, access.metadataUrl)
  sendText(response, `${text}\n`, { ...securityHeaders, ...retryHeaders(refusal.code, status), ...headers }, status)
}

function dialectOf(ctx: RequestContext, refusal: TidingsError): Dialect {
  return ctx.dialect ?? (refusal instanceof AccessError ? refusal.dialect : (ctx.access.dialects[0] as Dialect))
}
