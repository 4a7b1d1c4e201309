// POST /revoke: an operator revokes tokens, a topic or an address.
import { TidingsError } from '../../errors.ts'
import type { RevocationRequest } from '../../hub/revocation/revocation.ts'
import { type JsonObject, parseObject } from '../../json.ts'
import { decodeUtf8, mediaType, readBody } from '../body.ts'
import type { RequestContext } from '../request-context.ts'
import { commonHeaders } from '../response.ts'
import { refuseParameters } from '../simple/parameters.ts'
import { requireOperator } from './require-operator.ts'

const members = ['subject', 'jti', 'topic', 'address', 'until']

export async function revoke(ctx: RequestContext): Promise<void> {
  const { hub, request, response, options } = ctx
  const query = ctx.query()
  await requireOperator(ctx, query)
  if (!hub.hasRoster) throw new TidingsError('not_found', 'the log of this hub has no roster, which keeps revocations')
  refuseParameters(query.filter(([name]) => name !== 'authorization'))
  if (mediaType(request.headers['content-type']) !== 'application/json') {
    throw new TidingsError('content_type_invalid', 'send application/json')
  }
  await hub.revoke(readRequest(decodeUtf8(await readBody(request, options.maxBody))))
  // How many streams end is not known: other nodes end theirs a moment later.
  response.writeHead(204, commonHeaders).end()
}

/** `until` is in seconds, as `exp` is in a token. The hub checks the values. */
function readRequest(body: string): RevocationRequest {
  const { until, ...target } = parse(body)
  const unknown = Object.keys(target).find((name) => !members.includes(name))
  if (unknown !== undefined) refuse(`its members are ${members.join(', ')}, got ${JSON.stringify(unknown)}`)
  if (until === undefined) return target
  if (typeof until !== 'number') refuse('until must be a number of seconds since 1970')
  return { ...target, until: until * 1_000 }
}

function parse(body: string): JsonObject {
  try {
    return parseObject(body, 'the body')
  } catch (error) {
    return refuse((error as Error).message)
  }
}

function refuse(detail: string): never {
  throw new TidingsError('revocation_invalid', detail)
}
