// Refuses streams and updates that are revoked, and asks the authorizing application about the others, if there is one.
import type { Grants } from '../../auth/grants.ts'
import { TidingsError } from '../../errors.ts'
import type { Rights } from '../../hub/control/change.ts'
import type { DeleteTarget } from '../../hub/history/deleter.ts'
import { type SubscribeRequest, validateRequest } from '../../hub/subscribe-request.ts'
import { compile, Selection, type Selector, textOf } from '../../topics/matcher.ts'
import type { ValidUpdate } from '../../update.ts'
import type { Parameters } from '../body.ts'
import type { RequestContext } from '../request-context.ts'
import type { Authorizer, Decision, Question } from './decision.ts'

/** A request for a stream with its rights. */
export interface AuthorizedRequest {
  readonly request: SubscribeRequest
  /** The part of the rights that the application gave; undefined if there is none to ask. */
  readonly allowed?: Rights
}

/**
 * Refuses a client whose token, address or selector is revoked. It is synchronous, for a check right before the action.
 * @throws TidingsError `token_revoked` or `revoked`
 */
export function requireUnrevoked(
  { hub, address }: RequestContext,
  { identity }: Grants,
  selectors: readonly Selector[] = []
): void {
  const code = hub.revocations.refusalOf({ token: identity, address, selectors })
  if (code) throw new TidingsError(code)
}

/**
 * Adds the grants of the token, and those of the application, to a request for a stream.
 * @throws TidingsError `not_granted`, `authorize_failed`, or as `requireUnrevoked` and `validateRequest` do
 */
export async function authorizeSubscribe(
  ctx: RequestContext,
  grants: Grants,
  wanted: SubscribeRequest
): Promise<AuthorizedRequest> {
  const request = { ...wanted, readable: grants.subscribe, until: grants.until }
  const { access, hub } = ctx
  const topics = wanted.topics?.length ? wanted.topics : ['*']
  await hub.revocations.loaded()
  requireUnrevoked(ctx, grants, topics)
  if (!access.authorizer) return { request }
  // An invalid request is refused without asking the application.
  validateRequest(request)
  const asked = topics.map(simplify)
  const { readable, until } = await ask(access.authorizer, ctx, grants, { action: 'subscribe', topics: asked })
  const rights = { readable: [...grants.subscribe, ...readable], until: Math.min(grants.until, until) }
  return { request: { ...request, ...rights }, allowed: { readable, until } }
}

/**
 * Asks about selectors that are added to a stream.
 * @param subject whose stream it is
 * @throws TidingsError `not_granted` or `authorize_failed`
 */
export async function authorizeAdded(
  ctx: RequestContext,
  authorizer: Authorizer,
  subject: string | undefined,
  added: readonly Selector[]
): Promise<Rights> {
  const question = { action: 'subscribe' as const, topics: added.map(simplify) }
  const { readable, until } = await ask(authorizer, ctx, { subject }, question)
  return { readable, until }
}

/** @throws TidingsError `not_granted`, `authorize_failed`, or as `requireUnrevoked` does */
export async function authorizePublish(
  ctx: RequestContext,
  grants: Grants,
  updates: readonly ValidUpdate[]
): Promise<void> {
  const { authorizer } = ctx.access
  await ctx.hub.revocations.loaded()
  requireUnrevoked(ctx, grants)
  if (!authorizer) return
  const topics = [...new Set(updates.flatMap((update) => update.topics))]
  const isPrivate = updates.some((update) => update.private)
  await ask(authorizer, ctx, grants, { action: 'publish', topics, private: isPrivate })
  // The application may have taken a while.
  requireUnrevoked(ctx, grants)
}

/** @throws TidingsError `not_granted`, `authorize_failed`, or as `requireUnrevoked` does */
export async function authorizeDelete(ctx: RequestContext, grants: Grants, target: DeleteTarget): Promise<void> {
  const { authorizer } = ctx.access
  await ctx.hub.revocations.loaded()
  requireUnrevoked(ctx, grants)
  if (!authorizer) return
  await ask(
    authorizer,
    ctx,
    grants,
    'id' in target ? { action: 'delete', topics: [], id: target.id } : { action: 'delete', ...target }
  )
  // The application may have taken a while.
  requireUnrevoked(ctx, grants)
}

/**
 * Protects an endpoint that shows data about other clients. With keys, the token decides. Without keys, the application
 * must add the path to `readable`, so that an application that does not know the path does not open it.
 * @throws TidingsError as `Access.requireReader` does, or `not_granted` or `authorize_failed`
 */
export async function requireReader(ctx: RequestContext, query: Parameters): Promise<void> {
  const { access, request, path } = ctx
  const { authorizer } = access
  if (!access.isOpen || !authorizer) return access.requireReader(request, query, path)
  const { grants } = await access.reader(request, query)
  const { readable } = await ask(authorizer, ctx, grants, { action: 'subscribe', topics: [path] })
  if (!new Selection(readable).covers(path)) throw refusal()
}

async function ask(
  authorizer: Authorizer,
  { request, address, mount, path }: RequestContext,
  { subject }: { readonly subject?: string | undefined },
  question: Pick<Question, 'action' | 'topics' | 'private' | 'id'>
): Promise<Decision> {
  const client = { address, ...(subject !== undefined && { subject }) }
  const decision = await authorizer.decide({ ...question, ...client }, { request, path: `${mount}${path}` })
  if (!decision.isAllowed) throw refusal()
  return decision
}

function refusal(): TidingsError {
  return new TidingsError('not_granted', 'the authorizing application refuses it')
}

/** A selector as text if the text has the same meaning. */
function simplify(selector: Selector): Selector {
  if (typeof selector === 'string') return selector
  const { kind } = compile(selector)
  const isPlain = kind === 'everything' || (kind === 'exact' && !selector.match.includes('{'))
  return isPlain ? textOf(selector) : selector
}
