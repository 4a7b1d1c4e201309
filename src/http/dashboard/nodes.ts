// The questions that nodes ask each other for the dashboard, and the answers of this node.
import type { HealthCheck } from '../../dashboard-api/server.ts'
import type { ClosedRow, StreamDetail } from '../../dashboard-api/streams.ts'
import { TidingsError } from '../../errors.ts'
import type { TokenIdentity } from '../../hub/connection.ts'
import type { Answers, Query } from '../../hub/nodes/queries.ts'
import type { StreamPage, StreamQuery } from '../../hub/telemetry/stream-list.ts'
import type { Receivers, Telemetry } from '../../hub/telemetry/telemetry.ts'
import type { NodeReading } from './overview.ts'

/** Each question, with its answer. A later version may add questions. */
interface Questions {
  read: { readonly ask: { readonly ended: Readonly<Record<string, number>> }; readonly answer: NodeReading }
  streams: { readonly ask: { readonly list: StreamQuery }; readonly answer: StreamPage }
  closed: { readonly ask: { readonly limit: number }; readonly answer: readonly ClosedRow[] }
  describe: { readonly ask: { readonly stream: number }; readonly answer: StreamDetail }
  close: { readonly ask: { readonly stream: number }; readonly answer: null }
  token: {
    readonly ask: { readonly stream: number }
    /** `until` is null for a token without an end: JSON has no Infinity. */
    readonly answer: { readonly token: TokenIdentity; readonly until: number | null }
  }
  subscribers: { readonly ask: { readonly topics: readonly string[] }; readonly answer: readonly number[] }
  receivers: { readonly ask: { readonly topic: string; readonly isPrivate: boolean }; readonly answer: Receivers }
  health: { readonly ask: object; readonly answer: readonly HealthCheck[] }
}

type Kind = keyof Questions
type Asked<K extends Kind> = Query & { readonly kind: K } & Questions[K]['ask']
type AnyQuestion = { [K in Kind]: Asked<K> }[Kind]

/** How long another node may take, in milliseconds. */
const timeoutMs = 1_500

export interface OwnNode {
  readonly name: string
  readonly worker: number | null
  checks(): readonly HealthCheck[]
}

export class Nodes {
  readonly #telemetry: Telemetry
  readonly #own: OwnNode
  /** The names of the nodes that answered before. */
  readonly #names = new Map<string, string>()

  constructor(telemetry: Telemetry, own: OwnNode) {
    this.#telemetry = telemetry
    this.#own = own
    telemetry.nodes.answerWith((query) => this.#answer(query as AnyQuestion))
  }

  /** @throws TidingsError `not_found`, `node_unavailable`, or what the node answers */
  ask<K extends Kind>(node: string, query: Asked<K>): Promise<Questions[K]['answer']> {
    return this.#telemetry.nodes.ask(node, query, timeoutMs)
  }

  askAll<K extends Kind>(query: Asked<K>): Promise<Answers<Questions[K]['answer']>> {
    return this.#telemetry.nodes.askAll(query, timeoutMs)
  }

  /** The state of all nodes. @param ended for each node, `ended` of an earlier reading */
  async read(ended: Readonly<Record<string, number>>): Promise<{ readings: NodeReading[]; missing: string[] }> {
    const { answers, missing } = await this.askAll({ kind: 'read', ended })
    const readings = answers.map(({ value }) => value)
    for (const { node, name } of readings) this.#names.set(node, name)
    // Nodes come and go, and the names of those that went are not needed.
    if (this.#names.size > 1_000) this.#names.clear()
    return { readings, missing: this.namesOf(missing) }
  }

  namesOf(nodes: readonly string[]): string[] {
    return nodes.map((node) => this.#names.get(node) ?? node)
  }

  #answer(query: AnyQuestion): unknown {
    const telemetry = this.#telemetry
    switch (query.kind) {
      case 'read':
        return { ...telemetry.read(query.ended[telemetry.node]), name: this.#own.name, worker: this.#own.worker }
      case 'streams':
        return telemetry.list(query.list)
      case 'closed':
        return telemetry.closed(query.limit)
      case 'describe':
        return telemetry.describe(query.stream)
      case 'close':
        telemetry.closeStream(query.stream)
        return null
      case 'token':
        return tokenOf(telemetry, query.stream)
      case 'subscribers':
        return telemetry.subscribersOf(query.topics)
      case 'receivers':
        return telemetry.receivers(query.topic, query.isPrivate)
      case 'health':
        return this.#own.checks()
      default:
        throw new TidingsError('not_found', 'the server of the stream has an older version, without this function')
    }
  }
}

function tokenOf(telemetry: Telemetry, stream: number): Questions['token']['answer'] {
  const { token, until } = telemetry.tokenOf(stream)
  return { token, until: Number.isFinite(until) ? until : null }
}
