// The interface of a contender.

export interface Server {
  port: number
  /** The processes whose CPU time and memory count for the contender. */
  pids: number[]
  stop(): Promise<void>
}

export interface Contender {
  name: string
  subscribePath: string
  publishPath: string
  version(): string
  /** The reason why it cannot run on this machine, for the report; undefined when it can. */
  obstacle(): string | undefined
  /** Starts a new server that accepts this number of connections, and waits until it is ready. */
  start(connections: number): Promise<Server>
}
