// The types of the messages between the benchmark and its load process.

/** The target of the load. It has process ids, because CPU time is read exactly when the window opens and closes. */
export interface Target {
  /** Ports for subscribers and for publishers. Both are spread evenly over theirs. */
  subscribePorts: number[]
  publishPorts: number[]
  subscribePath: string
  publishPath: string
  payloadBytes: number
  /** Updates per publish, each a line of JSON. Default: one update as text. */
  lines?: { count: number; topic: string }
  serverPids: number[]
  /** The processes that store the log, besides the servers. */
  logPids: number[]
}

/**
 * Closed: a number of publishes in flight, the next one when a response arrives, and optionally a limit on how many updates
 * the slowest subscriber may be `behind`. Open: a number of publishes per second, regardless of the responses.
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
  /** Updates in successful publishes. */
  published: number
  deliveries: number
  serverCpuMicros: number
  logCpuMicros: number
  /** Cores in use. Close to 1, the load process was the bottleneck, not the server. */
  generatorCpu: number
  /** Cores in use by other processes of this machine: neither the servers, nor the log, nor the load. */
  elsewhereCpu: number
  p50Millis: number
  p99Millis: number
  /** Missing and additional deliveries after all streams had become idle. */
  missing: number
  surplus: number
  /** Successful and failed publishes, including the warm-up. */
  answered: number
  refused: number
  hungUp: number
}
