// Requests between the primary process and a worker, over the channel of node:cluster.
import { type ErrorCode, TidingsError } from '../../errors.ts'

/** The methods of one end, by name. Arguments and results must survive the structured clone. */
export type Methods = Readonly<Record<string, (...args: never[]) => unknown>>

interface Question {
  readonly tidings: 'ask'
  readonly id: number
  readonly method: string
  readonly args: readonly unknown[]
}

interface Answer {
  readonly tidings: 'answer'
  readonly id: number
  readonly result?: unknown
  readonly error?: WireError
}

/** What of an error the other process needs. */
interface WireError {
  readonly message: string
  readonly isOurs: boolean
  readonly code?: string | undefined
  readonly detail?: string | undefined
}

/** The end of a channel: `process` in a worker, the worker in the primary. */
export interface Port {
  send?(message: unknown, handle: undefined, options: undefined, sent: (error: Error | null) => void): boolean
  on(event: 'message', listener: (message: unknown) => void): unknown
}

interface Pending {
  resolve(result: unknown): void
  reject(reason: unknown): void
}

/** Asks the other process. `Other` has the methods of that process. */
export class Channel<Other extends Methods> {
  readonly #port: Port
  readonly #pending = new Map<number, Pending>()
  #asked = 0
  #closed: Error | undefined

  constructor(port: Port, methods: Methods) {
    this.#port = port
    port.on('message', (message) => {
      const received = message as Question | Answer
      if (received?.tidings === 'ask') void this.#answer(received, methods)
      else if (received?.tidings === 'answer') this.#settle(received)
    })
  }

  get isClosed(): boolean {
    return this.#closed !== undefined
  }

  /** @throws the error of the method, or Error when the other process has ended */
  ask<Name extends keyof Other & string>(
    method: Name,
    ...args: Parameters<Other[Name]>
  ): Promise<Awaited<ReturnType<Other[Name]>>> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(this.#closed)
        return
      }
      const id = ++this.#asked
      this.#pending.set(id, { resolve: resolve as Pending['resolve'], reject })
      this.#send({ tidings: 'ask', id, method, args })
    })
  }

  /** The other process has ended: everything that waits for it fails. */
  close(reason: string): void {
    this.#closed = new Error(reason)
    for (const { reject } of this.#pending.values()) reject(this.#closed)
    this.#pending.clear()
  }

  async #answer({ id, method, args }: Question, methods: Methods): Promise<void> {
    try {
      const call = methods[method] as (...args: readonly unknown[]) => unknown
      this.#send({ tidings: 'answer', id, result: await call(...args) })
    } catch (error) {
      this.#send({ tidings: 'answer', id, error: describe(error as Error) })
    }
  }

  #settle({ id, result, error }: Answer): void {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    if (error) pending?.reject(revive(error))
    else pending?.resolve(result)
  }

  /** The other process may have ended, which the owner of the channel notices. Without a callback, that would be an uncaught error. */
  #send(message: Question | Answer): void {
    this.#port.send?.(message, undefined, undefined, () => {})
  }
}

function describe(error: Error & Partial<WireError>): WireError {
  const { message, code, detail } = error
  return { message, isOurs: error instanceof TidingsError, code, detail }
}

function revive({ isOurs, code, detail, message }: WireError): Error {
  if (isOurs) return new TidingsError(code as ErrorCode, detail)
  return Object.assign(new Error(message), { code })
}
