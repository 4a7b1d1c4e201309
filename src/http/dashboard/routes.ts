// The dashboard's endpoints: its page, the stream of samples, and the JSON below /dashboard/api.
import { TidingsError } from '../../errors.ts'
import { dashboardPage } from '../../pages/dashboard-page.ts'
import { Access } from '../access/access.ts'
import { decodeHeader, type Parameters } from '../body.ts'
import { requireOperator } from '../operator/require-operator.ts'
import type { RequestContext, Route } from '../request-context.ts'
import { commonHeaders, sendJson, sendText, writeHead } from '../response.ts'
import { openingOf } from '../simple/control.ts'
import { readControl, readSubscribeRequest, refuseParameters, withoutToken } from '../simple/parameters.ts'
import { streamHead, streamHeaders } from '../simple/stream-head.ts'
import { serveStream } from '../stream/serve.ts'
import type { Dashboard } from './dashboard.ts'
import { readInspectQuery, readRowLimit, readStreamQuery } from './parameters.ts'

const prefix = '/dashboard'
const streamPath = /^\/dashboard\/api\/streams\/([^/]+?)(\/revoke)?$/
const topics = ['overview', 'closed']

/** Answers with JSON what the function returns, for an operator. */
type Answer = (query: Parameters, ctx: RequestContext) => Promise<unknown>

export class DashboardRoutes {
  readonly #dashboard: Dashboard
  readonly #isReadOnly: () => boolean
  readonly #routes: ReadonlyMap<string, Route>
  /** Its streams need no further authorization than that of the operator. */
  readonly #open = new Access({}, () => {})

  constructor(dashboard: Dashboard, isReadOnly: () => boolean) {
    this.#dashboard = dashboard
    this.#isReadOnly = isReadOnly
    this.#routes = new Map<string, Route>([
      [prefix, { GET: showPage, HEAD: showPage }],
      [`${prefix}/`, { GET: toPage, HEAD: toPage }],
      [`${prefix}/updates`, { GET: this.#subscribe, HEAD: this.#subscribe }],
      this.#json(
        'overview',
        withoutParameters(() => dashboard.overview())
      ),
      this.#json('streams', (query) => dashboard.streams(readStreamQuery(query))),
      this.#json('closed', (query) => dashboard.closed(readRowLimit(query, 200))),
      this.#json('topics', (query) => dashboard.topics(readRowLimit(query, 50))),
      this.#json('inspect', (query) => dashboard.inspect(readInspectQuery(query))),
      this.#json(
        'config',
        withoutParameters(async () => ({ options: dashboard.options, readOnly: isReadOnly() }))
      ),
      this.#json(
        'health',
        withoutParameters(() => dashboard.health())
      )
    ])
  }

  /** The route of a path; undefined if the path is not of the dashboard. */
  routeOf(path: string): Route | undefined {
    if (!path.startsWith(prefix)) return undefined
    return this.#routes.get(path) ?? this.#streamRoute(path)
  }

  #streamRoute(path: string): Route | undefined {
    const [, id, isRevoke] = streamPath.exec(path) ?? []
    if (id === undefined) return undefined
    if (isRevoke) return { POST: this.#answer(this.#acting(() => this.#dashboard.revoke(id))) }
    const describe = this.#answer(withoutParameters(() => this.#dashboard.describe(id)))
    return { GET: describe, HEAD: describe, DELETE: this.#answer(this.#acting(() => this.#dashboard.close(id))) }
  }

  #json(name: string, answer: Answer): [string, Route] {
    const endpoint = this.#answer(answer)
    return [`${prefix}/api/${name}`, { GET: endpoint, HEAD: endpoint }]
  }

  #answer(answer: Answer) {
    return async (ctx: RequestContext): Promise<void> => {
      const query = ctx.query()
      await requireOperator(ctx, query)
      const result = await answer(withoutToken(query), ctx)
      if (result === undefined) writeHead(ctx.response, 204, commonHeaders).end()
      else sendJson(ctx.response, result, { Vary: 'Origin' })
    }
  }

  #acting(act: () => Promise<unknown>): Answer {
    return async (query, { hub }) => {
      refuseParameters(query)
      if (this.#isReadOnly()) {
        throw new TidingsError('not_granted', 'the dashboard of this server is read-only; start it with --dashboard on')
      }
      await hub.revocations.loaded()
      return act()
    }
  }

  readonly #subscribe = async (ctx: RequestContext): Promise<void> => {
    const query = ctx.query()
    const grants = await requireOperator(ctx, query)
    const header = ctx.request.headers['last-event-id']
    const wanted = readSubscribeRequest(
      withoutToken(query),
      typeof header === 'string' ? decodeHeader(header) : undefined
    )
    const unknown = wanted.topics?.find((topic) => typeof topic !== 'string' || !topics.includes(topic))
    if (unknown !== undefined || !wanted.topics?.length) {
      throw new TidingsError('selector_invalid', 'the topics are overview and closed')
    }
    const { feed } = this.#dashboard
    const hub = feed.open()
    const control = readControl(withoutToken(query)) ? hub.offerControl() : undefined
    const own = { ...ctx, hub, limits: feed.limits, access: this.#open }
    await serveStream(own, grants, wanted, (position) => ({
      headers: streamHeaders(position, ctx.request.method === 'HEAD'),
      text: control ? openingOf(hub, control, position) : streamHead(position, wanted.lastEventId),
      control
    }))
  }
}

function withoutParameters(answer: () => Promise<unknown>): Answer {
  return async (query) => {
    refuseParameters(query)
    return answer()
  }
}

/** The page holds no data, so it requires no token. */
async function showPage({ response }: RequestContext): Promise<void> {
  const page = dashboardPage()
  if (!page) throw new TidingsError('not_found', 'this build has no page of the dashboard; run npm run build')
  sendText(response, page.html, {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': page.policy
  })
}

/** The page has URLs relative to a path without a slash at its end. */
async function toPage({ response }: RequestContext): Promise<void> {
  sendText(response, 'The dashboard is at ../dashboard\n', { Location: '../dashboard' }, 308)
}
