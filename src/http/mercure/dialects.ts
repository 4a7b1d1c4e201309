// The dialects by name, and what the Mercure endpoints share: headers and error responses.
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

/** Sent with every response of the Mercure endpoints, as by the reference hub. */
export const securityHeaders: OutgoingHttpHeaders = {
  'Content-Security-Policy': "default-src 'self'",
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'X-Xss-Protection': '1; mode=block'
}

/**
 * Sends an error in the dialect of the request, or in the first dialect of the hub if the request does not show its
 * dialect.
 */
export function sendDialectError(ctx: RequestContext, thrown: unknown): void {
  const { access, response } = ctx
  if (response.headersSent) {
    response.destroy()
    return
  }
  // Other errors are defects of the server. Their messages may contain secrets and are not sent.
  const error = thrown instanceof TidingsError ? thrown : new TidingsError('internal')
  const { status, text, headers } = dialects[dialectOf(ctx, error)].describeError(error, access.metadataUrl(ctx.mount))
  sendText(response, `${text}\n`, { ...securityHeaders, ...retryHeaders(error.code, status), ...headers }, status)
}

function dialectOf(ctx: RequestContext, error: TidingsError): Dialect {
  return ctx.dialect ?? (error instanceof AccessError ? error.dialect : (ctx.access.dialects[0] as Dialect))
}
