// The JSON of the dashboard about streams and the inspector: what the server sends, and what the page reads.
// Types only, so that both ends may import them. Times are milliseconds since 1970, durations milliseconds, and sizes bytes.

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
