// Asks the other nodes of the log, over its bus and with a deadline: worker processes and servers on Redis alike. A node that may be asked
// has a lease on the roster, so that the others find it.
import { randomUUID } from 'node:crypto'
import { within } from '../../deadline.ts'
import { type ErrorCode, TidingsError } from '../../errors.ts'
import type { Bus } from '../../log/bus.ts'
import type { Roster } from '../../log/roster.ts'

/** What is asked. Its values survive JSON. */
export interface Query {
  readonly kind: string
}

/** Answers a query of this node or another one. Its result survives JSON. */
export type AnswerQuery = (query: Query) => unknown

export interface Answers<Result> {
  /** The answers, that of this node first. */
  readonly answers: readonly { readonly node: string; readonly value: Result }[]
  /** The nodes that did not answer in time. */
  readonly missing: readonly string[]
}

type Message =
  | { readonly type: 'query'; readonly id: string; readonly node: string; readonly query: Query }
  | {
      readonly type: 'query-answer'
      readonly id: string
      /** JSON, in parts: a message has a limit. */
      readonly text: string
      readonly isLast: boolean
      readonly error?: { readonly code: ErrorCode; readonly detail?: string }
    }

interface Waiter {
  text: string
  resolve(value: unknown): void
  reject(error: TidingsError): void
}

/** Every message begins with this text, so that those of others need not be parsed. */
const prefix = '{"type":"query'
/** Characters in one part: at most 750,000 bytes, since a message may have 1 MiB. */
const partLength = 250_000
/** Characters of an answer, at most. */
const maxAnswerLength = 16_000_000
/** Queries that may wait for answers. */
const maxWaiting = 1_000
/** The lease of a node on the roster, and how often it is renewed, in milliseconds. */
const leaseMs = 30_000
const renewMs = 10_000
/** The names of these leases. Presence ignores them, since no member has such a node. */
const leasePrefix = 'dashboard:'

export interface NodeQueriesDeps {
  /** The id of this node. */
  readonly node: string
  readonly bus: Bus | undefined
  readonly roster: Roster | undefined
  readonly failed: (error: unknown) => void
}

export class NodeQueries {
  readonly #deps: NodeQueriesDeps
  readonly #waiters = new Map<string, Waiter>()
  #answer: AnswerQuery | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(deps: NodeQueriesDeps) {
    this.#deps = deps
    deps.bus?.onMessage((message) => this.#receive(message))
  }

  /** The id of this node. */
  get node(): string {
    return this.#deps.node
  }

  /** From now on this node answers, and other nodes find it. */
  answerWith(answer: AnswerQuery): void {
    this.#answer = answer
    if (!this.#deps.bus || this.#timer) return
    const renew = () => this.#living().catch(() => {})
    this.#timer = setInterval(renew, renewMs).unref()
    void renew()
  }

  close(): void {
    clearInterval(this.#timer)
    this.#answer = undefined
    for (const { reject } of this.#waiters.values()) reject(new TidingsError('closed'))
  }

  /** @throws TidingsError `not_found` if there is no such node, `node_unavailable` if it does not answer, or what it answers */
  async ask<Result>(node: string, query: Query, timeoutMs: number): Promise<Result> {
    if (node === this.node) return (await this.#answerOf(query)) as Result
    const { bus } = this.#deps
    if (!bus) throw new TidingsError('not_found', 'no server has a stream with this id')
    if (this.#waiters.size >= maxWaiting)
      throw new TidingsError('node_unavailable', `${maxWaiting} requests to other servers are waiting already`)
    const id = randomUUID()
    const answered = new Promise<unknown>((resolve, reject) => {
      this.#waiters.set(id, { text: '', resolve, reject })
    })
    // `send` may fail first.
    answered.catch(() => {})
    const late = () => this.#waiters.get(id)?.reject(new TidingsError('node_unavailable'))
    const timer = setTimeout(late, timeoutMs)
    try {
      const message: Message = { type: 'query', id, node: bus.node, query }
      const sent = bus.send(node, JSON.stringify(message)).then((isThere) => {
        if (!isThere) throw new TidingsError('not_found', 'the server that had the stream has stopped')
        return answered
      })
      // A bus that hangs must not exceed the deadline.
      return (await Promise.race([sent, answered])) as Result
    } finally {
      clearTimeout(timer)
      this.#waiters.delete(id)
    }
  }

  /** Asks all nodes, this one too. Nodes that are gone are left out. */
  async askAll<Result>(query: Query, timeoutMs: number): Promise<Answers<Result>> {
    const own = { node: this.node, value: (await this.#answerOf(query)) as Result }
    const others = this.#deps.bus ? await this.#others(timeoutMs) : []
    const settled = await Promise.allSettled(others.map((node) => this.ask<Result>(node, query, timeoutMs)))
    const answers = [own]
    const missing: string[] = []
    settled.forEach((one, at) => {
      const node = others[at] as string
      if (one.status === 'fulfilled') answers.push({ node, value: one.value })
      else if ((one.reason as Partial<TidingsError>).code !== 'not_found') missing.push(node)
    })
    return { answers, missing }
  }

  /** Without the roster, which may be out of reach, this node is alone. */
  async #others(timeoutMs: number): Promise<string[]> {
    const living = await within(
      timeoutMs,
      this.#living().catch(() => []),
      () => []
    )
    return living.filter((node) => node !== this.node)
  }

  /** Renews the lease of this node, and returns the nodes that can be asked. */
  async #living(): Promise<string[]> {
    const names = (await this.#deps.roster?.renew(leasePrefix + this.node, leaseMs)) ?? []
    return names.filter((name) => name.startsWith(leasePrefix)).map((name) => name.slice(leasePrefix.length))
  }

  async #answerOf(query: Query): Promise<unknown> {
    if (!this.#answer) throw new TidingsError('not_found', 'this server has no dashboard')
    return this.#answer(query)
  }

  #receive(text: string): void {
    if (!text.startsWith(prefix)) return
    try {
      const message = JSON.parse(text) as Message
      if (message.type === 'query') this.#reply(message).catch(this.#deps.failed)
      else this.#take(message)
    } catch (error) {
      this.#deps.failed(error)
    }
  }

  #take({ id, text, isLast, error }: Message & { type: 'query-answer' }): void {
    const waiter = this.#waiters.get(id)
    if (!waiter) return
    waiter.text += text
    if (error) waiter.reject(new TidingsError(error.code, error.detail))
    else if (waiter.text.length > maxAnswerLength)
      waiter.reject(new TidingsError('node_unavailable', 'its answer is too long'))
    else if (isLast) waiter.resolve(JSON.parse(waiter.text))
  }

  async #reply({ id, node, query }: Message & { type: 'query' }): Promise<void> {
    const send = (part: Pick<Message & { type: 'query-answer' }, 'text' | 'isLast' | 'error'>) => {
      const message: Message = { type: 'query-answer', id, ...part }
      return this.#deps.bus?.send(node, JSON.stringify(message))
    }
    let text: string
    try {
      text = JSON.stringify((await this.#answerOf(query)) ?? null)
    } catch (error) {
      if (!(error instanceof TidingsError)) this.#deps.failed(error)
      const { code, detail } = error instanceof TidingsError ? error : new TidingsError('internal')
      await send({ text: '', isLast: true, error: { code, ...(detail !== undefined && { detail }) } })
      return
    }
    for (let at = 0; at < text.length; at += partLength) {
      await send({ text: text.slice(at, at + partLength), isLast: at + partLength >= text.length })
    }
  }
}
