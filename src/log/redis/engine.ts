// The parts of a log in Redis, put together. RedisLog loads this file when it is opened, so that a program that never does needs
// no Redis client.
import { OptionError, TidingsError } from '../../errors.ts'
import type { Update } from '../../update.ts'
import type { Outcome, PendingAppend } from '../group-commit.ts'
import { RetentionRules } from '../retention/rules.ts'
import { checkName, parseAddress } from './address.ts'
import { type ConnectionOptions, OutcomeUnknownError, RedisConnection } from './connection.ts'
import { RedisDiscovery } from './discovery.ts'
import { evictionAdvice } from './eviction.ts'
import { RedisFollower } from './follower.ts'
import { encodeGroup, readOutcomes } from './group.ts'
import { RedisInbox } from './inbox.ts'
import { RedisMaintenance } from './maintenance.ts'
import type { RedisLogOptions } from './options.ts'
import { RedisReader } from './reader.ts'
import { RedisStore } from './store.ts'

export class RedisEngine {
  readonly connection: RedisConnection
  readonly store: RedisStore
  readonly maintenance: RedisMaintenance
  readonly reader: RedisReader
  readonly follower: RedisFollower
  readonly inbox: RedisInbox

  /** @throws OptionError */
  constructor({ prefix = 'tidings', name = 'log', now, ...options }: RedisLogOptions) {
    const { url, retention = [], failed = () => {}, commandTimeout = 5_000 } = options
    if (!(commandTimeout > 0))
      throw new OptionError('commandTimeout', `expected a number greater than 0, got ${commandTimeout}`)
    const rules = new RetentionRules(retention)
    checkName('prefix', prefix)
    checkName('name', name)
    const base = `{${prefix}:${name}}`
    const connection: ConnectionOptions = {
      discovery: new RedisDiscovery(parseAddress(url), base, commandTimeout),
      timeoutMs: commandTimeout,
      failed: throttle(failed),
      onConnected: (send) => this.store.detectFork(send)
    }
    const connect = () => new RedisConnection(connection)
    this.connection = connect()
    this.store = new RedisStore(base, this.connection, now)
    this.maintenance = new RedisMaintenance(this.store, rules)
    this.reader = new RedisReader(this.store)
    this.inbox = new RedisInbox(base, this.connection)
    this.follower = new RedisFollower(this.store, this.inbox, connect)
  }

  /** Reads the state of the log, or begins one, and sets its rules. @throws TidingsError `log_unavailable` */
  async begin({ retention = [], warn = () => {} }: RedisLogOptions): Promise<void> {
    await this.refresh()
    await this.maintenance.retain(retention)
    const advice = await evictionAdvice(this.connection)
    if (advice !== undefined) warn(advice)
  }

  /** Reads the state of the log. @throws TidingsError `log_unavailable` */
  async refresh(): Promise<void> {
    await this.store.run('query', { verb: 'state' })
  }

  /** Appends a group in one script. @throws TidingsError `append_timeout` when it may have been done, or as `RedisStore.append` does */
  async append(group: readonly PendingAppend[]): Promise<Outcome[]> {
    try {
      return await this.#append(group)
    } catch (error) {
      throw error instanceof OutcomeUnknownError ? new TidingsError('append_timeout', error.message) : error
    }
  }

  async #append(group: readonly PendingAppend[]): Promise<Outcome[]> {
    for (;;) {
      const { args, payloads } = encodeGroup(group, (update: Update) => this.maintenance.ruleOf(update))
      const reply = await this.store.append({ ...this.maintenance.rules, ...args }, payloads)
      if (reply.outcome === 'appended') {
        if (reply.unfinished === 1 || reply.counting > 0) this.maintenance.runLater()
        return readOutcomes(group, reply)
      }
      // Another node has set other rules.
      this.maintenance.adopt(reply.rules)
    }
  }
}

const throttleMs = 1_000

/** Calls the function at most once a second. */
function throttle<Value>(call: (value: Value) => void): (value: Value) => void {
  let calledAt = -Infinity
  return (value) => {
    if (performance.now() - calledAt < throttleMs) return
    calledAt = performance.now()
    call(value)
  }
}
