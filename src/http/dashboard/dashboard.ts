// The data of the dashboard, from all nodes of the log, and its actions.
import { setTimeout as sleep } from 'node:timers/promises'
import type { LogState, Overview, TopicList } from '../../dashboard-api/overview.ts'
import type { HealthList } from '../../dashboard-api/server.ts'
import type { ClosedList, Inspection, RevokeResult, StreamDetail, StreamList } from '../../dashboard-api/streams.ts'
import { TidingsError } from '../../errors.ts'
import type { Hub } from '../../hub/hub.ts'
import { mergeRows, type StreamQuery } from '../../hub/telemetry/stream-list.ts'
import { Feed, type Sampled } from './feed.ts'
import type { Check } from './health.ts'
import { Nodes } from './nodes.ts'
import type { DashboardParts } from './options.ts'
import { type NodeReading, overviewOf } from './overview.ts'
import { describeRetention } from './retention.ts'

/** Between the two readings of a first sample, in milliseconds. */
const firstSpanMs = 300
/** How long the time of the oldest entry is remembered. */
const oldestMs = 5_000
/** Streams in the answer of the inspector. */
const maxReceivers = 50

export interface InspectQuery {
  readonly topic: string
  readonly id?: string
  readonly isPrivate: boolean
}

export class Dashboard {
  readonly #hub: Hub
  readonly #parts: DashboardParts
  readonly #nodes: Nodes
  readonly #feed: Feed
  /** The readings of the last sample of the feed. */
  #before = new Map<string, NodeReading>()
  #oldest: Promise<number | null> = Promise.resolve(null)
  #oldestAt = Number.NEGATIVE_INFINITY

  /** @param accessChecks the checks of what authorizes requests */
  constructor(hub: Hub, parts: DashboardParts, accessChecks: () => readonly Check[]) {
    this.#hub = hub
    this.#parts = parts
    const { telemetry } = hub
    const { name, worker } = parts
    const checks = () => {
      return [...parts.checks(), ...accessChecks()].map((check) => ({ ...check, node: telemetry.node, nodeName: name }))
    }
    this.#nodes = new Nodes(telemetry, { name: name || telemetry.node, worker, checks })
    this.#feed = new Feed(hub, () => this.#sample())
    telemetry.keepClosed()
    telemetry.onClose(() => this.#feed.close())
  }

  /** The hub of the samples, and the limits of its streams. */
  get feed(): Feed {
    return this.#feed
  }

  get options(): ReturnType<DashboardParts['options']> {
    return this.#parts.options()
  }

  async overview(): Promise<Overview> {
    return this.#feed.latest ?? (await this.#sampleAfter(new Map())).overview
  }

  async streams(list: StreamQuery): Promise<StreamList> {
    const { answers, missing } = await this.#nodes.askAll({ kind: 'streams', list })
    const pages = answers.map(({ value }) => value)
    const sum = (name: 'total' | 'matched') => pages.reduce((total, page) => total + page[name], 0)
    const rows = mergeRows(pages, list)
    return { at: Date.now(), total: sum('total'), matched: sum('matched'), rows, missing: this.#nodes.namesOf(missing) }
  }

  async closed(limit: number): Promise<ClosedList> {
    const { answers, missing } = await this.#nodes.askAll({ kind: 'closed', limit })
    const rows = answers.flatMap(({ value }) => value).sort((one, other) => other.closed.at - one.closed.at)
    return { at: Date.now(), rows: rows.slice(0, limit), missing: this.#nodes.namesOf(missing) }
  }

  describe(id: string): Promise<StreamDetail> {
    const { node, stream } = parseStreamId(id)
    return this.#nodes.ask(node, { kind: 'describe', stream })
  }

  async close(id: string): Promise<void> {
    const { node, stream } = parseStreamId(id)
    await this.#nodes.ask(node, { kind: 'close', stream })
  }

  /** Revokes the token of a stream by its `jti`, or else all tokens of its subject. @throws TidingsError `token_unknown` too */
  async revoke(id: string): Promise<RevokeResult> {
    const { node, stream } = parseStreamId(id)
    const { token, until } = await this.#nodes.ask(node, { kind: 'token', stream })
    const { jti, subject } = token
    if (jti !== undefined) {
      await this.#hub.revoke({ jti, ...(until !== null && { until }) })
      return { revoked: { jti } }
    }
    if (subject === undefined) {
      throw new TidingsError(
        'token_unknown',
        'it has neither jti nor sub; close the stream, or revoke its address or topic'
      )
    }
    // Without `until`: the subject may have other tokens, which last longer.
    await this.#hub.revoke({ subject })
    return { revoked: { subject } }
  }

  async topics(limit: number): Promise<TopicList> {
    const { since, rows } = this.#hub.telemetry.topics(limit)
    const topics = rows.map(({ topic }) => topic)
    const { answers, missing } = await this.#nodes.askAll({ kind: 'subscribers', topics })
    const subscribersAt = (at: number) => answers.reduce((sum, { value }) => sum + (value[at] ?? 0), 0)
    const counted = rows.map((row, at) => ({ ...row, subscribers: subscribersAt(at) }))
    return { at: Date.now(), since, rows: counted, missing: this.#nodes.namesOf(missing) }
  }

  async inspect({ topic, id, isPrivate }: InspectQuery): Promise<Inspection> {
    const { answers, missing } = await this.#nodes.askAll({ kind: 'receivers', topic, isPrivate })
    const found = answers.map(({ value }) => value)
    const receivers = {
      streams: found.reduce((sum, { streams }) => sum + streams, 0),
      audiences: found.reduce((sum, { audiences }) => sum + audiences, 0),
      sample: found.flatMap(({ sample }) => sample).slice(0, maxReceivers)
    }
    const request = {
      topics: [topic],
      readable: isPrivate ? [topic] : [],
      ...(id !== undefined && { lastEventId: id })
    }
    const position = id === undefined ? undefined : await this.#hub.locate(request)
    return {
      topic,
      private: isPrivate,
      receivers,
      retention: describeRetention(topic, this.#parts.retention()),
      resume: position && id !== undefined ? await this.#hub.telemetry.resume(id, position) : null,
      missing: this.#nodes.namesOf(missing)
    }
  }

  async health(): Promise<HealthList> {
    const { answers, missing } = await this.#nodes.askAll({ kind: 'health' })
    return { at: Date.now(), checks: answers.flatMap(({ value }) => value), missing: this.#nodes.namesOf(missing) }
  }

  /** The next sample of the feed. */
  async #sample(): Promise<Sampled> {
    // Readings from before a pause would give the rates of the pause.
    const isRecent = [...this.#before.values()].some(({ at }) => Date.now() - at < 10_000)
    const { readings, ...sampled } = await this.#sampleAfter(isRecent ? this.#before : new Map())
    this.#before = byNode(readings)
    return sampled
  }

  async #sampleAfter(known: ReadonlyMap<string, NodeReading>): Promise<Sampled & { readings: NodeReading[] }> {
    const before = known.size > 0 ? known : await this.#firstReadings()
    const ended = Object.fromEntries([...before.values()].map((reading) => [reading.node, reading.ended]))
    const { readings, missing } = await this.#nodes.read(ended)
    const overview = { ...overviewOf(readings, before), missing, log: await this.#logState() }
    const closed = readings.flatMap((reading) => reading.closed).sort((one, other) => other.closed.at - one.closed.at)
    return { overview, closed, readings }
  }

  async #firstReadings(): Promise<Map<string, NodeReading>> {
    const { readings } = await this.#nodes.read({})
    await sleep(firstSpanMs)
    return byNode(readings)
  }

  async #logState(): Promise<LogState> {
    const { epoch, head } = this.#hub.status
    const { first, bytes: inMemory } = this.#hub.telemetry.log
    const isKnown = performance.now() - this.#oldestAt < oldestMs && (await this.#oldest) !== null
    if (!isKnown && head > 0) {
      this.#oldestAt = performance.now()
      // A log out of reach is shown by the health checks.
      this.#oldest = this.#hub.telemetry.oldest().catch(() => null)
    }
    const bytes = this.#parts.logBytes?.() ?? inMemory
    return { epoch, head, first, entries: Math.max(0, head - first + 1), bytes, oldest: await this.#oldest }
  }
}

function byNode(readings: readonly NodeReading[]): Map<string, NodeReading> {
  return new Map(readings.map((reading) => [reading.node, reading]))
}

const streamId = /^([\w-]{1,32})\.([0-9a-z]{1,11})$/

function parseStreamId(id: string): { node: string; stream: number } {
  const [, node, number] = streamId.exec(id) ?? []
  if (node !== undefined && number !== undefined) return { node, stream: Number.parseInt(number, 36) }
  throw new TidingsError('not_found', 'this is not the id of a stream; GET /dashboard/api/streams lists them')
}
