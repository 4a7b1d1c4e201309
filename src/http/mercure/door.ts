// What the endpoints of Mercure share: the dialects by name, headers, and how a refusal is told. It reads no parameter.
import type { OutgoingHttpHeaders } from 'node:http'
import type { Dialect } from '../../auth/dialect.ts'
import { TidingsError } from '../../errors.ts'
import { Refusal } from '../access.ts'
import { answerText, comeAgain } from '../answer.ts'
import type { Exchange } from '../exchange.ts'
import type { MercureDialect } from './dialect.ts'
import { legacy } from './legacy.ts'
import { modern } from './modern.ts'

export const doors: Record<Dialect, MercureDialect> = { '1.0': modern, '0.x': legacy }

/** On every answer of Mercure's endpoints, as the reference hub sends them. */
export const securityHeaders: OutgoingHttpHeaders = {
  'Content-Security-Policy': "default-src 'self'",
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'X-Xss-Protection': '1; mode=block'
}

/** Refuses in the dialect that the request is in, as far as that could be told. */
export function refuseIn(exchange: Exchange, error: unknown): void {
  const { access, response } = exchange
  if (response.headersSent) {
    response.destroy()
    return
  }
  // Whatever is not a refusal is our own fault, and none of the client's business.
  const refusal = error instanceof TidingsError ? error : new TidingsError('internal')
  const { status, text, headers } = doors[dialectOf(exchange, refusal)].tell(refusal, access.metadataUrl)
  answerText(response, `${text}\n`, { ...securityHeaders, ...comeAgain(refusal.code, status), ...headers }, status)
}

function dialectOf(exchange: Exchange, refusal: TidingsError): Dialect {
  return exchange.dialect ?? (refusal instanceof Refusal ? refusal.dialect : (exchange.access.dialects[0] as Dialect))
}
