// The JSON of the dashboard's overview and topics: what the server sends, and what the page reads.
// Types only, so that both ends may import them. Times are milliseconds since 1970, durations milliseconds, and sizes bytes.

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
  /** Bytes that wait in this process for clients that read slowly: of the streams that are behind. */
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
