// The JSON of the dashboard's endpoints: what the server sends, and what the page reads. Types only, so that both ends may import it.
// Times are milliseconds since 1970, durations are milliseconds, and sizes are bytes, unless a comment says otherwise.

/** The state of one node in one second. A node is a server, or a worker process of a server. */
export interface Sample {
  /** The id of the node. It is unique, and another one after a restart. */
  readonly node: string
  /** The number of the worker process, from 1; null for a server without worker processes. */
  readonly worker: number | null
  /** The name of the node for people. */
  readonly name: string
  /** Open streams. */
  readonly subscribers: number
  readonly live: number
  readonly behind: number
  /** Clients that wait for the next update without a stream. */
  readonly polls: number
  readonly audiences: number
  /** Entries that arrived from the log, per second. Each node receives every entry. */
  readonly published: number
  /** Entries written to streams, per second. */
  readonly delivered: number
  /** Bytes written to streams, per second. */
  readonly bytes: number
  /** Streams that began, per second. */
  readonly connects: number
  /** Streams that ended, per second. */
  readonly closes: number
  /** Milliseconds from append to socket write, of entries that live streams received; null if there were none. */
  readonly latency: Percentiles | null
  /** Milliseconds by which the event loop was late. */
  readonly loop: Percentiles
  /** Entries that left in one sweep of an audience, on average; 0 if there was no sweep. */
  readonly entriesPerSweep: number
  /** Entries that streams have not received yet: the most of one stream, and of all together. */
  readonly lag: { readonly max: number; readonly total: number }
  /** Bytes that wait in this process for clients that read slowly. */
  readonly buffered: number
  readonly memory: { readonly rss: number; readonly heap: number }
  /** Share of one core, from 0 to 1; more with several threads. */
  readonly cpu: number
}

export interface Percentiles {
  readonly p50: number
  readonly p99: number
}

/** `GET /dashboard/api/overview`, and the updates with the topic `overview` and the type `sample` of `/dashboard/updates`. */
export interface Overview {
  readonly at: number
  readonly nodes: readonly Sample[]
  /** All nodes together: sums, and the largest value of what cannot be added up. Its `node` is empty, and its `name` is `total`. */
  readonly total: Sample
  /** The names of the nodes that did not answer in time. */
  readonly missing: readonly string[]
  readonly log: LogState
}

export interface LogState {
  readonly epoch: string
  /** The offset of the newest entry; 0 if there never was one. */
  readonly head: number
  /** The offset of the oldest entry. */
  readonly first: number
  /** Offsets from `first` to `head`; retention may have removed some of these entries. */
  readonly entries: number
  /** Size of the log, if it is known. */
  readonly bytes: number | null
  /** When the oldest entry was appended; null if there is none. */
  readonly oldest: number | null
}

export type StreamState = 'live' | 'behind' | 'closed'

/** One stream. */
export interface StreamRow {
  /** Names the stream in the paths of these endpoints. It is unique on all nodes, and no secret. */
  readonly id: string
  readonly node: string
  /** The client's address; with the port if the client is directly connected. */
  readonly address: string
  /** The subject of the client's token. */
  readonly subject: string | null
  /** The selectors of the stream. A long list ends with `…`, and a long selector too. */
  readonly topics: readonly string[]
  readonly state: StreamState
  /** When the stream began. */
  readonly since: number
  /** How long the stream has lasted, or lasted. */
  readonly age: number
  /** Entries that it has not received yet. */
  readonly lag: number
  /** Bytes that wait in the server for the client. */
  readonly buffered: number
  /** Entries written to the stream since it began. */
  readonly delivered: number
  /** Whether the client has a token that can be revoked. */
  readonly hasToken: boolean
}

export type StreamSort = 'address' | 'subject' | 'topics' | 'state' | 'age' | 'lag' | 'buffered' | 'delivered'

/** `GET /dashboard/api/streams` */
export interface StreamList {
  readonly at: number
  /** Open streams of all nodes. */
  readonly total: number
  /** Of these, the streams that `state` and `filter` select. */
  readonly matched: number
  readonly rows: readonly StreamRow[]
  readonly missing: readonly string[]
}

/** A stream that ended. */
export interface ClosedRow extends StreamRow {
  readonly closed: Closed
}

export interface Closed {
  readonly at: number
  /** The reason of logs and metrics, such as `slow` or `client`. */
  readonly reason: string
}

/** `GET /dashboard/api/closed`: the newest first. Also `closed`, one stream per update of `/dashboard/updates` with the type `closed`. */
export interface ClosedList {
  readonly at: number
  readonly rows: readonly ClosedRow[]
  readonly missing: readonly string[]
}

/** A change of the state of a stream. */
export interface FlightEvent {
  readonly at: number
  readonly kind: 'connected' | 'position' | 'gap' | 'live' | 'behind' | 'changed' | 'closed'
  /** Everything that the stream wants up to this offset has been written to it. */
  readonly offset: number
  /** Why, as the end of a sentence, such as `the connection was full`. */
  readonly reason: string
  readonly detail?: Readonly<Record<string, string | number | boolean>>
}

/** `GET /dashboard/api/streams/{id}` */
export interface StreamDetail {
  readonly stream: StreamRow & { readonly closed: Closed | null }
  /** The oldest first. */
  readonly events: readonly FlightEvent[]
  /** Older events that were dropped. */
  readonly dropped: number
}

/** `POST /dashboard/api/streams/{id}/revoke` */
export interface RevokeResult {
  readonly revoked: { readonly jti: string } | { readonly subject: string }
}

export interface TopicRow {
  readonly topic: string
  /** Updates per second, over the last seconds. */
  readonly rate: number
  /** Bytes of updates per second, before they are multiplied by streams. */
  readonly bytes: number
  /** Open streams that receive public updates of the topic. */
  readonly subscribers: number
  /** Updates since counting began. Estimated above 1,000 updates per second. */
  readonly total: number
}

/** `GET /dashboard/api/topics`: the busiest first. */
export interface TopicList {
  readonly at: number
  /** When counting began. It begins with the first question, and ends some seconds after the last one. */
  readonly since: number
  readonly rows: readonly TopicRow[]
  readonly missing: readonly string[]
}

/** `GET /dashboard/api/inspect` */
export interface Inspection {
  readonly topic: string
  readonly private: boolean
  /** Who would receive an update of the topic now. */
  readonly receivers: {
    readonly streams: number
    readonly audiences: number
    /** At most fifty of the streams. */
    readonly sample: readonly StreamRow[]
  }
  readonly retention: {
    /** The rule that applies, as it is configured; null if none does. */
    readonly rule: string | null
    /** What it keeps, in words. */
    readonly keeps: string
  }
  /** What a client gets that subscribes to the topic and resumes at the id; null without an id. */
  readonly resume: Resume | null
  readonly missing: readonly string[]
}

export interface Resume {
  /** The id that was asked for. */
  readonly id: string
  /** The offset after which the stream begins. */
  readonly from: number
  readonly head: number
  /** Entries that the client receives from the history. */
  readonly wouldReceive: number
  /** Whether the whole history was counted. If not, the client receives at least `wouldReceive` entries. */
  readonly isComplete: boolean
  /** The ids of the first of these entries, at most twenty. */
  readonly first: readonly string[]
  /** The gap that the client sees; null if nothing is missing. */
  readonly gap: {
    readonly requested: string
    /** The id after which the stream begins instead. */
    readonly resumedAfter: string
    readonly reason: 'unknown' | 'epoch' | 'trimmed'
  } | null
  /** Whether the topic has ended and nothing is left: the client gets 204. */
  readonly isOver: boolean
}

export interface OptionRow {
  /** The name in a configuration file. */
  readonly name: string
  readonly section: string
  readonly flag: string
  readonly variable: string
  /** The effective value, as it could be written. A secret is `(set)` or `(not set)`; passwords in URLs are hidden. */
  readonly value: string
  readonly default: string
  readonly origin: 'default' | 'flag' | 'variable' | 'file'
  /** The flag, the variable, or the file and its key; null for a default. */
  readonly source: string | null
  readonly isDefault: boolean
  /** Whether SIGHUP applies a new value. The others need a restart. */
  readonly reload: boolean
  readonly help: string
}

/** `GET /dashboard/api/config` */
export interface ConfigList {
  /** Empty when the hub is part of another application, which has options of its own. */
  readonly options: readonly OptionRow[]
  /** Whether the actions of the dashboard are disabled. */
  readonly readOnly: boolean
}

export interface HealthCheck {
  readonly name: 'log' | 'redis' | 'webhooks' | 'jwks' | 'authorize'
  /** The node that checked, and its name. */
  readonly node: string
  readonly nodeName: string
  /** `off`: the server is not configured to use it. */
  readonly state: 'ok' | 'failing' | 'off'
  /** Since when it has been in this state, if that is known. */
  readonly since: number | null
  readonly lastError: { readonly at: number; readonly message: string } | null
  /** What it is, such as the address without secrets. */
  readonly detail: string
}

/** `GET /dashboard/api/health` */
export interface HealthList {
  readonly at: number
  readonly checks: readonly HealthCheck[]
  readonly missing: readonly string[]
}
