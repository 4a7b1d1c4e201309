// Says what kind of token the hub wants, to clients that know how to ask [RFC 9728]. It verifies none.

import { detailType } from '../../auth/claims.ts'
import { TidingsError } from '../../errors.ts'
import { hubPath } from '../access/options.ts'
import type { RequestContext } from '../request-context.ts'
import { sendJson } from '../response.ts'

export const metadataPath = `/.well-known/oauth-protected-resource${hubPath}`

export async function metadata({ access, response }: RequestContext): Promise<void> {
  const { audience, authorizationServers, subscriptions, isOpen, dialects } = access
  if (isOpen || !dialects.includes('1.0')) throw new TidingsError('not_found', 'no tokens of Mercure 1.0 are used here')
  sendJson(response, {
    resource: audience[0],
    ...(authorizationServers.length > 0 && { authorization_servers: authorizationServers }),
    authorization_details_types_supported: [detailType],
    bearer_methods_supported: ['header'],
    mercure_cookie: true,
    mercure_matcher_types_supported: ['exact', 'urlpattern'],
    ...(subscriptions && { mercure_subscriptions: true })
  })
}
