// What a contender must tell the benchmark about itself; it knows no measurement.

export interface Server {
  port: number
  /** All the processes whose time and memory are the contender's cost. */
  pids: number[]
  stop(): Promise<void>
}

export interface Contender {
  name: string
  subscribePath: string
  publishPath: string
  version(): string
  /** Why it cannot take part on this machine, in words for the report; undefined when it can. */
  obstacle(): string | undefined
  /** A fresh server, ready to answer, with room for so many connections. */
  start(connections: number): Promise<Server>
}
