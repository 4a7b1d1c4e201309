// The words between the benchmark and its load process; only types, so that neither side can know the other's insides.

/** Where the load goes. Process ids, because processor time must be read at the very moments the window opens and shuts. */
export interface Target {
  /** Subscribers are spread evenly over these, publishers over those. */
  subscribePorts: number[]
  publishPorts: number[]
  subscribePath: string
  publishPath: string
  payloadBytes: number
  /** One publish is so many updates, each a line of JSON; left out, it is one update as text. */
  lines?: { count: number; topic: string }
  serverPids: number[]
  /** What keeps the log besides the servers. */
  logPids: number[]
}

/**
 * Closed: so many publishes in flight, the next when an answer came, and the slowest subscriber is not further `behind` than
 * so many updates, where that is said. Open: so many a second, whatever happens.
 */
export type Pace = { inFlight: number; behind?: number } | { perSecond: number }

export interface Window {
  pace: Pace
  warmUpSeconds: number
  seconds: number
}

export type Ask = { verb: 'subscribe'; count: number } | { verb: 'leave' } | { verb: 'measure'; window: Window }
export type Answer = { measurement?: Measurement } | { problem: string }

export interface Measurement {
  seconds: number
  /** Updates in publishes that were answered with success. */
  published: number
  deliveries: number
  serverCpuMicros: number
  logCpuMicros: number
  /** Shares of one core. Close to 1, the load process was the limit, and not the server. */
  generatorCpu: number
  /** Cores that neither the server, nor its log, nor the load used: what else went on in this machine. */
  elsewhereCpu: number
  p50Millis: number
  p99Millis: number
  /** Deliveries that were still missing, or were too many, when the stream of each had come to rest. */
  missing: number
  surplus: number
  /** Publishes answered with success and without, from the first one on, warm-up included. */
  answered: number
  refused: number
  hungUp: number
}
