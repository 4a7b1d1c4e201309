// Limits that hold for all workers together: the primary process counts, and the workers ask it.
import { type Limiter, type LimitOptions, Limits, once } from '../../http/access/limits.ts'
import type { Channel } from './channel.ts'
import type { PrimaryMethods } from './messages.ts'

/** The part of the primary process. */
export class PrimaryLimits {
  readonly #limits: Limits
  readonly #leaves = new Map<number, () => void>()
  /** Streams that were admitted, or wait for their turn. */
  #entered = 0
  /** Streams of each worker that began while there was no limit. */
  readonly #unlimited = new Map<number, number>()
  #numbered = 0

  constructor(options: LimitOptions) {
    this.#limits = new Limits(withoutMemory(options), () => this.#entered - this.#limits.waiting + this.#allUnlimited)
  }

  adjust(options: LimitOptions): void {
    this.#limits.adjust(withoutMemory(options))
  }

  /** @throws TidingsError as `Limits.enter` does */
  async enter(address: string, subject: string | undefined, isPaced: boolean): Promise<number> {
    const entering = this.#limits.enter(address, subject, { isPaced })
    this.#entered++
    try {
      const leave = await entering
      this.#leaves.set(++this.#numbered, leave)
      return this.#numbered
    } catch (error) {
      this.#entered--
      throw error
    }
  }

  leave(stream: number): void {
    const leave = this.#leaves.get(stream)
    if (!leave) return
    this.#leaves.delete(stream)
    this.#entered--
    leave()
  }

  /** A worker has so many streams that began while there was no limit. They count as connections. */
  setUnlimited(worker: number, streams: number): void {
    if (streams > 0) this.#unlimited.set(worker, streams)
    else this.#unlimited.delete(worker)
  }

  get #allUnlimited(): number {
    let sum = 0
    for (const streams of this.#unlimited.values()) sum += streams
    return sum
  }

  /** @throws TidingsError as `Limits.publish` does */
  publish(address: string, subject: string | undefined): void {
    this.#limits.publish(address, subject)
  }
}

/** The part of a worker. It asks only if there is a limit. */
export class WorkerLimits implements Limiter {
  readonly #primary: Channel<PrimaryMethods>
  /** Memory is that of this process. */
  readonly #own: Limits
  #options: LimitOptions
  /** Streams that began while there was no limit. */
  #unlimited = 0

  constructor(options: LimitOptions, primary: Channel<PrimaryMethods>) {
    this.#options = options
    this.#primary = primary
    this.#own = new Limits(onlyMemory(options), () => 0)
  }

  adjust(options: LimitOptions): void {
    this.#options = options
    this.#own.adjust(onlyMemory(options))
    this.#reportUnlimited()
  }

  async enter(
    address: string,
    subject: string | undefined,
    { isPaced = true }: { readonly isPaced?: boolean } = {}
  ): Promise<() => void> {
    await this.#own.enter(address, subject, { isPaced: false })
    if (!this.#hasLimit) return this.#enterUnlimited()
    const stream = await this.#primary.ask('enter', address, subject, isPaced)
    // Without a primary process there is nobody to count.
    return once(() => void this.#primary.ask('leave', stream).catch(() => {}))
  }

  get #hasLimit(): boolean {
    const { maxConnections, maxConnectionsPerAddress, maxConnectionsPerSubject, connectRate } = this.#options
    return Boolean(maxConnections || maxConnectionsPerAddress || maxConnectionsPerSubject || connectRate)
  }

  #enterUnlimited(): () => void {
    this.#unlimited++
    return once(() => {
      this.#unlimited--
      this.#reportUnlimited()
    })
  }

  #reportUnlimited(): void {
    if (this.#hasLimit) this.#primary.ask('unlimited', this.#unlimited).catch(() => {})
  }

  /** The primary process counts a stream from `enter` on. */
  hold<Result>(decide: () => Promise<Result>): Promise<Result> {
    return decide()
  }

  publish(address: string, subject: string | undefined): void | Promise<void> {
    return this.#options.publishRate ? this.#primary.ask('publish', address, subject) : undefined
  }
}

function withoutMemory({ maxMemory: _, ...options }: LimitOptions): LimitOptions {
  const { maxConnections, maxConnectionsPerAddress, maxConnectionsPerSubject, publishRate, connectRate } = options
  return defined({ maxConnections, maxConnectionsPerAddress, maxConnectionsPerSubject, publishRate, connectRate })
}

function onlyMemory({ maxMemory }: LimitOptions): LimitOptions {
  return defined({ maxMemory })
}

function defined(options: { [Name in keyof LimitOptions]: LimitOptions[Name] | undefined }): LimitOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}
