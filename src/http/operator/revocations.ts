// POST /revoke, GET and DELETE /revocations: an operator revokes tokens, a topic or an address, lists what is revoked, and lifts it.
import { TidingsError } from '../../errors.ts'
import type { Revocation, RevocationRequest } from '../../hub/revocation/revocation.ts'
import { type JsonObject, parseObject } from '../../json.ts'
import { decodeUtf8, mediaType, type Parameters, readBody } from '../body.ts'
import type { RequestContext } from '../request-context.ts'
import { commonHeaders, sendJson, writeHead } from '../response.ts'
import { readLimit, readRevocationTarget, refuseParameters } from '../simple/parameters.ts'
import { requireOperator } from './require-operator.ts'

const members = ['subject', 'jti', 'topic', 'address', 'until']

export async function revoke(ctx: RequestContext): Promise<void> {
  const { hub, request, response, options } = ctx
  refuseParameters(await parametersOfOperator(ctx))
  if (mediaType(request.headers['content-type']) !== 'application/json') {
    throw new TidingsError('content_type_invalid', 'send application/json')
  }
  await hub.revoke(readRequest(decodeUtf8(await readBody(request, options.maxBody))))
  // How many streams end is not known: other nodes end theirs a moment later.
  writeHead(response, 204, commonHeaders).end()
}

export async function listRevocations(ctx: RequestContext): Promise<void> {
  const limit = readLimit(await parametersOfOperator(ctx))
  const { revocations } = ctx.hub
  await revocations.loaded()
  const all = revocations.list()
  sendJson(ctx.response, { total: all.length, revocations: all.slice(0, limit).map(describe) })
}

export async function liftRevocation(ctx: RequestContext): Promise<void> {
  await ctx.hub.revocations.lift(readRevocationTarget(await parametersOfOperator(ctx)))
  writeHead(ctx.response, 204, commonHeaders).end()
}

/** Lets an operator pass, and returns the parameters besides the token. */
async function parametersOfOperator(ctx: RequestContext): Promise<Parameters> {
  const query = ctx.query()
  await requireOperator(ctx, query)
  if (!ctx.hub.hasRoster) {
    throw new TidingsError('not_found', 'the log of this hub does not keep revocations')
  }
  return query.filter(([name]) => name !== 'authorization')
}

/** Times are in whole seconds, as in a request. */
function describe({ kind, value, at, until }: Revocation): object {
  const seconds = (time: number) => Math.floor(time / 1_000)
  return { [kind]: value, at: seconds(at), ...(until !== undefined && { until: seconds(until) }) }
}

/** `until` is in seconds, as `exp` is in a token. The hub checks the values. */
function readRequest(body: string): RevocationRequest {
  const { until, ...target } = parse(body)
  const unknown = Object.keys(target).find((name) => !members.includes(name))
  if (unknown !== undefined) refuse(`unknown member ${JSON.stringify(unknown)}; the members are ${members.join(', ')}`)
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
