// Messages between nodes: each node has an inbox, a stream that the follower reads together with the entries. It needs no connection
// of its own.
import { randomBytes } from 'node:crypto'
import { TidingsError } from '../../errors.ts'
import { type Bus, checkMessage } from '../bus.ts'
import type { Row } from './codec.ts'
import { OutcomeUnknownError, type RedisConnection } from './connection.ts'
import { scripts } from './scripts.ts'

/** The follower renews the lease every second. */
const leaseMs = 10_000
/** Messages that an inbox holds, approximately. Read ones are removed every second. */
const maxMessages = 1_000

export class RedisInbox implements Bus {
  readonly node = randomBytes(9).toString('base64url')
  readonly #base: string
  readonly #connection: RedisConnection
  #take: (message: string) => void = () => {}
  #after = '0-0'

  /** `base` is the beginning of every key: on a cluster, inboxes and entries must be on one server. */
  constructor(base: string, connection: RedisConnection) {
    this.#base = base
    this.#connection = connection
  }

  /** The key of the inbox, and the id of the message that was read last. */
  get key(): string {
    return this.#keyOf(this.node)
  }

  get after(): string {
    return this.#after
  }

  onMessage(take: (message: string) => void): void {
    this.#take = take
  }

  /** Only a node that lives has an inbox, so a message creates none: clients can name any node. */
  async send(node: string, message: string): Promise<boolean> {
    checkMessage(message)
    const options = ['NOMKSTREAM', 'MAXLEN', '~', String(maxMessages)]
    try {
      return (await this.#connection.send(['XADD', this.#keyOf(node), ...options, '*', 'message', message])) !== null
    } catch (error) {
      if (error instanceof TidingsError) throw error
      const reason = error instanceof OutcomeUnknownError ? error.message : this.#connection.reasonOf(error)
      throw new TidingsError('log_unavailable', reason)
    }
  }

  /** Creates the inbox, or keeps it. Redis may have lost it: then the ids of its messages begin anew. */
  async keep(connection = this.#connection): Promise<void> {
    const args = () => [String(leaseMs), this.#after]
    if ((await connection.run(scripts.inbox, this.key, args)) === 1) this.#after = '0-0'
  }

  /** Takes what was read of the inbox. */
  receive(rows: readonly Row[]): void {
    for (const [id, [name, text = '']] of rows) {
      this.#after = id
      if (name === 'message') this.#take(text)
    }
  }

  /** Deletes the inbox, so that others know at once that this node has ended. Never rejects: the lease ends too. */
  async remove(): Promise<void> {
    await this.#connection.send(['UNLINK', this.key]).catch(() => {})
  }

  #keyOf(node: string): string {
    return `${this.#base}:inbox:${node}`
  }
}
