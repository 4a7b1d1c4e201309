// Passes a question about a stream to the node that has it, over the bus of the log, and waits for the answer.
import { randomUUID } from 'node:crypto'
import { type ErrorCode, TidingsError } from '../../errors.ts'
import type { Bus } from '../../log/bus.ts'
import { decodeChange, encodeChange, type StreamChange } from './change.ts'

/** What is asked about a stream: to accept a change, or whether it exists. */
export interface ControlQuestion {
  /** The hash of the secret: the secret itself stays on the node that received it. */
  readonly key: string
  readonly change?: StreamChange
}

export interface ControlAnswer {
  /** Whose token the stream has. */
  readonly subject?: string | undefined
}

/** Messages of other types are ignored: a newer version may send them. */
type Message =
  | {
      readonly type: 'control'
      readonly id: string
      readonly node: string
      readonly key: string
      readonly change?: object
    }
  | {
      readonly type: 'control-answer'
      readonly id: string
      readonly subject?: string
      readonly error?: { readonly code: ErrorCode; readonly detail?: string }
    }

interface Waiter {
  resolve(answer: ControlAnswer): void
  reject(error: TidingsError): void
}

/** How long another node may take, in milliseconds. */
const answerTimeoutMs = 2_000
/** Questions that may wait for answers. */
const maxWaiting = 1_000

export class Forwarding {
  readonly #bus: Bus
  readonly #decide: (question: ControlQuestion) => ControlAnswer
  readonly #failed: (error: unknown) => void
  readonly #waiters = new Map<string, Waiter>()
  #isClosed = false

  /** @param decide answers the questions of other nodes, and throws TidingsError */
  constructor(bus: Bus, decide: (question: ControlQuestion) => ControlAnswer, failed: (error: unknown) => void) {
    this.#bus = bus
    this.#decide = decide
    this.#failed = failed
    bus.onMessage((message) => this.#receive(message))
  }

  /** @throws TidingsError `not_found` when there is no such node, `control_unavailable` when it does not answer, or what it answers */
  async ask(node: string, { key, change }: ControlQuestion): Promise<ControlAnswer> {
    if (this.#isClosed) throw new TidingsError('closed')
    if (this.#waiters.size >= maxWaiting)
      throw new TidingsError('control_unavailable', `${maxWaiting} changes are waiting for other servers already`)
    const id = randomUUID()
    const answered = new Promise<ControlAnswer>((resolve, reject) => this.#waiters.set(id, { resolve, reject }))
    // `send` may fail first.
    answered.catch(() => {})
    const late = () => this.#waiters.get(id)?.reject(new TidingsError('control_unavailable'))
    const timer = setTimeout(late, answerTimeoutMs)
    try {
      const message: Message = {
        type: 'control',
        id,
        node: this.#bus.node,
        key,
        ...(change && { change: encodeChange(change) })
      }
      if (!(await this.#bus.send(node, JSON.stringify(message)))) {
        throw new TidingsError('not_found', 'the server that had the stream has stopped')
      }
      return await answered
    } finally {
      clearTimeout(timer)
      this.#waiters.delete(id)
    }
  }

  close(): void {
    this.#isClosed = true
    for (const { reject } of this.#waiters.values()) reject(new TidingsError('closed'))
  }

  #receive(text: string): void {
    try {
      const message = JSON.parse(text) as Message
      if (message.type === 'control-answer') this.#settle(message)
      else if (message.type === 'control') this.#answer(message)
    } catch (error) {
      this.#failed(error)
    }
  }

  #settle({ id, error, subject }: Message & { type: 'control-answer' }): void {
    const waiter = this.#waiters.get(id)
    if (error) waiter?.reject(new TidingsError(error.code, error.detail))
    else waiter?.resolve({ subject })
  }

  #answer({ id, node, key, change }: Message & { type: 'control' }): void {
    const answer: Message = { type: 'control-answer', id, ...this.#decisionOn(key, change) }
    this.#bus.send(node, JSON.stringify(answer)).catch(this.#failed)
  }

  #decisionOn(
    key: string,
    change: object | undefined
  ): Pick<Message & { type: 'control-answer' }, 'subject' | 'error'> {
    if (this.#isClosed) return { error: { code: 'not_found' } }
    try {
      const { subject } = this.#decide({ key, ...(change && { change: decodeChange(change) }) })
      return subject === undefined ? {} : { subject }
    } catch (error) {
      if (!(error instanceof TidingsError)) throw error
      return { error: { code: error.code, ...(error.detail !== undefined && { detail: error.detail }) } }
    }
  }
}
