// Protects the endpoints with which an operator changes the hub for all clients.
import type { Grants } from '../../auth/grants.ts'
import { TidingsError } from '../../errors.ts'
import type { Parameters } from '../body.ts'
import type { RequestContext } from '../request-context.ts'

/** The addresses of clients on this machine; `local` is that of a Unix socket. */
const loopback = /^(127(\.\d{1,3}){3}|::1|local)$/

/**
 * With keys, requires a token that the publishers' keys verify and that grants `tidings:operate`. Without keys, requires a
 * server that only this machine can reach. A page of another site, or a cookie without an allowed origin, is refused as it
 * is for publishing.
 * @throws AccessError as `Access.publisher` does, or TidingsError `not_granted`
 */
export async function requireOperator(
  { access, request, address }: RequestContext,
  query: Parameters
): Promise<Grants> {
  const { grants } = await access.publisher(request, query)
  if (!access.isOpen) {
    if (!grants.isOperator) throw new TidingsError('not_granted', 'the token must have the grant tidings:operate')
  } else if (!access.isLocalOnly || !loopback.test(address)) {
    throw new TidingsError(
      'not_granted',
      'without keys, only a server that listens on loopback addresses can be operated; set a key for publishers'
    )
  }
  return grants
}
