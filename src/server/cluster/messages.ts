// What the primary process and a worker ask each other.
import type { HubDescription } from '../../http/description.ts'
import type { Config } from '../config/options.ts'
import type { Origins } from '../dashboard/option-rows.ts'
import type { MetricValues } from '../metrics.ts'

/** What a worker needs to start. */
export interface WorkerStart {
  readonly config: Config
  readonly origins: Origins
  /** The number of the worker, from 1. A worker that replaces another one has its number. */
  readonly number: number
  /** Where the primary process listens, in the order of `listenAddresses`. */
  readonly urls: readonly string[]
  /** The socket of the log; undefined if each worker opens the log in Redis. */
  readonly logPath: string | undefined
}

export interface StartError {
  readonly message: string
  readonly code?: string | undefined
}

/** Answered by the primary process. */
export type PrimaryMethods = {
  begin(): WorkerStart
  started(): void
  /** The worker has a connection that was passed to it. */
  taken(connection: number): void
  /** The worker takes no more connections. */
  stopping(): void
  failed(error: StartError): void
  /** Counts a stream in the limits of all workers, and returns its number for `leave`. */
  enter(address: string, subject: string | undefined, isPaced: boolean): Promise<number>
  leave(stream: number): void
  /** Counts a publish request in the limits of all workers. */
  publish(address: string, subject: string | undefined): void | Promise<void>
  /** The metrics of all workers, in the text format of Prometheus. */
  metrics(): Promise<string>
  /** Describes the hubs of all workers as one. */
  describe(limit: number): Promise<HubDescription>
}

/** Answered by a worker. */
export type WorkerMethods = {
  reload(config: Config, origins: Origins): Promise<void>
  /** Ends all streams over the drain timeout, and then the process. */
  stop(): void
  metrics(): Promise<MetricValues>
  describe(limit: number): HubDescription
}
