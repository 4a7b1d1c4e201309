// The JSON of the dashboard's endpoints, for tests, and streams to look at.
import { onTestFinished } from 'vitest'
import type { Overview, TopicList } from '../../../dist/dashboard-api/overview.js'
import type { ConfigList, HealthList } from '../../../dist/dashboard-api/server.js'
import type {
  ClosedList,
  Inspection,
  StreamDetail,
  StreamList,
  StreamRow
} from '../../../dist/dashboard-api/streams.js'
import type { HandlerOptions, Hub, HubOptions } from '../../../dist/index.js'
import { ask, serve } from '../http/http.ts'
import { keys, token } from '../http/mercure.ts'
import { listen, type SseClient } from '../http/sse-client.ts'
import { startInProcess } from '../servers/in-process.ts'

interface Api {
  overview: Overview
  streams: StreamList
  closed: ClosedList
  topics: TopicList
  inspect: Inspection
  config: ConfigList
  health: HealthList
}

export type Headers = Record<string, string>

/** Reads one of the endpoints. @throws Error with the answer if the status is not 200 */
export async function read<Name extends keyof Api>(
  url: string,
  name: Name,
  query = '',
  headers: Headers = {}
): Promise<Api[Name]> {
  return (await readPath(url, `${name}${query}`, headers)) as Api[Name]
}

export async function describe(url: string, id: string, headers: Headers = {}): Promise<StreamDetail> {
  return (await readPath(url, `streams/${id}`, headers)) as StreamDetail
}

async function readPath(url: string, path: string, headers: Headers): Promise<unknown> {
  const answer = await ask(`${url}/dashboard/api/${path}`, { headers })
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.text}`)
  return answer.json()
}

/** The row of the only stream with a topic. */
export async function rowOf(url: string, topic: string, headers: Headers = {}): Promise<StreamRow> {
  const found = await read(url, 'streams', `?filter=${encodeURIComponent(topic)}`, headers)
  // The filter also matches parts of other texts.
  const rows = found.rows.filter(({ topics }) => topics.includes(topic))
  if (rows.length !== 1) throw new Error(`expected one stream with ${topic}, got ${JSON.stringify(rows)}`)
  return rows[0] as StreamRow
}

/** A hub of this process with the dashboard, without keys. */
export const serveDashboard = (hubOptions: HubOptions = {}, handlerOptions: HandlerOptions = {}) =>
  serve(hubOptions, { dashboard: 'on', localOnly: true, ...handlerOptions })

/** The real server, until the test ends. */
export async function startDashboard(...args: string[]) {
  const server = await startInProcess({ args })
  onTestFinished(() => server.stop())
  return server
}

/** A token with the grant to operate, made independently of the product. */
export const operatorToken = (claims: Record<string, unknown> = {}): Promise<string> =>
  token('1.0', { key: keys.publish, claims: { authorization_details: [{ type: 'tidings:operate' }], ...claims } })

/** The stream of samples, as the client of the page opens it. */
export const watchOverview = (url: string, headers: Headers = {}): Promise<SseClient> =>
  listen(`${url}/dashboard/updates?topic=overview&topic=closed&envelope=json&control=1`, headers)

interface Envelope {
  readonly type: string
  readonly data: string
}

/** The samples that a stream has received. */
export function samplesOf({ events }: SseClient): Overview[] {
  return contentsOf(events, 'sample') as Overview[]
}

/** The streams that ended, as a stream has received them. */
export function endedOf({ events }: SseClient): ClosedList['rows'] {
  return contentsOf(events, 'closed') as ClosedList['rows']
}

function contentsOf(events: SseClient['events'], wanted: string): unknown[] {
  const envelopes = events.filter(({ event }) => event === undefined).map(({ data }) => JSON.parse(data) as Envelope)
  return envelopes.filter(({ type }) => type === wanted).map(({ data }) => JSON.parse(data) as unknown)
}

/** Whether a hub measures latencies and counts topics. The declarations of the package leave out what is internal. */
export function isMeasuring(hub: Hub): boolean {
  const { telemetry, stats } = hub as unknown as {
    telemetry: { isMeasuring: boolean }
    stats: { watcher: object | undefined }
  }
  if (telemetry.isMeasuring !== (stats.watcher !== undefined)) throw new Error('the hub is half watched')
  return telemetry.isMeasuring
}
