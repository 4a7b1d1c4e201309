// What the application is asked about a stream or a publish, where there is one that decides. It does not know how it is asked.
import type { Grants } from '../../auth/grants.ts'
import { TidingsError } from '../../errors.ts'
import { type SubscribeRequest, validateRequest } from '../../hub/subscribe-request.ts'
import { compile, Selection, type Selector, textOf } from '../../topics/matcher.ts'
import type { ValidUpdate } from '../../update.ts'
import type { Parameters } from '../body.ts'
import type { RequestContext } from '../request-context.ts'
import type { Authorizer, Question } from './authorizer.ts'
import type { Decision } from './decision.ts'

/**
 * What a stream may hold: what the token grants, and what the application adds to it.
 * @throws TidingsError `not_granted` or `authorize_failed`, or where the request breaks a rule
 */
export async function authorizeSubscribe(
  ctx: RequestContext,
  grants: Grants,
  wanted: SubscribeRequest
): Promise<SubscribeRequest> {
  const request = { ...wanted, readable: grants.subscribe, until: grants.until }
  const { authorizer } = ctx.access
  if (!authorizer) return request
  // What is refused anyway is not asked about.
  validateRequest(request)
  const { topics = [] } = wanted
  const asked = (topics.length > 0 ? topics : ['*']).map(described)
  const { readable, until } = await ask(authorizer, ctx, grants, { action: 'subscribe', topics: asked })
  return { ...request, readable: [...grants.subscribe, ...readable], until: Math.min(grants.until, until) }
}

/** @throws TidingsError `not_granted` or `authorize_failed` */
export async function authorizePublish(
  ctx: RequestContext,
  grants: Grants,
  updates: readonly ValidUpdate[]
): Promise<void> {
  const { authorizer } = ctx.access
  if (!authorizer) return
  const topics = [...new Set(updates.flatMap((update) => update.topics))]
  const isPrivate = updates.some((update) => update.private)
  await ask(authorizer, ctx, grants, { action: 'publish', topics, private: isPrivate })
}

/**
 * For what tells of others. A server without keys has no token that could speak for its reader: there the application has to
 * say that the path may be read, so that what it does not know of stays closed.
 * @throws TidingsError as `Access.requireReader` does, or as above
 */
export async function requireReader(ctx: RequestContext, query: Parameters): Promise<void> {
  const { access, request, path } = ctx
  const { authorizer } = access
  if (!access.isOpen || !authorizer) return access.requireReader(request, query, path)
  const { grants } = await access.reader(request, query)
  const { readable } = await ask(authorizer, ctx, grants, { action: 'subscribe', topics: [path] })
  if (!new Selection(readable).covers(path)) throw refused()
}

async function ask(
  authorizer: Authorizer,
  { request, address }: RequestContext,
  { subject }: Grants,
  { action, ...question }: Pick<Question, 'action' | 'topics' | 'private'>
): Promise<Decision> {
  const headers: Record<string, string> = {}
  for (const name of authorizer.headers) {
    if (Object.hasOwn(request.headers, name)) headers[name] = String(request.headers[name])
  }
  const who = { address, ...(subject !== undefined && { subject }), headers }
  const decision = await authorizer.decide({ action, ...question, ...who })
  if (!decision.isAllowed) throw refused()
  return decision
}

function refused(): TidingsError {
  return new TidingsError('not_granted', 'the application that was asked refuses it')
}

/** A selector as a text where that says what it covers, and else with its kind, as in tokens of Mercure 1.0. */
function described(selector: Selector): unknown {
  if (typeof selector === 'string') return selector
  const { kind } = compile(selector)
  const isPlain = kind === 'everything' || (kind === 'exact' && !selector.match.includes('{'))
  return isPlain ? textOf(selector) : { match: selector.match, match_type: selector.type }
}
