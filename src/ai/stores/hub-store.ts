// Runs on a hub in this process.
import type { Hub } from '../../hub/hub.ts'
import type { Entry } from '../../log/log.ts'
import { RunError } from '../errors.ts'
import type { FollowOptions, History, Newest, NewUpdate, Store, StoredUpdate } from './store.ts'

/** The part of a hub that runs use. */
export type RunsHub = Pick<Hub, 'publishAll' | 'history' | 'delete' | 'subscribe' | 'lastEventId' | 'idempotent'>

export class HubStore implements Store {
  readonly #hub: RunsHub

  /** @throws RunError `not_idempotent` */
  constructor(hub: RunsHub) {
    if (hub.idempotent === 0) {
      throw new RunError('not_idempotent', 'runs need a hub with the option `idempotent`, such as 3_600_000')
    }
    this.#hub = hub
  }

  async append(updates: readonly NewUpdate[], key: string): Promise<readonly string[]> {
    try {
      return (await this.#hub.publishAll(updates, { key })).map(({ id }) => id)
    } catch (error) {
      throw (error as { code?: unknown }).code === 'key_reused' ? takenOver(error) : error
    }
  }

  async newest(topics: readonly string[]): Promise<Newest> {
    const { updates } = await this.#hub.history({ topics, readable: topics, last: 1, limit: 1 })
    const [entry] = updates
    return { update: entry && storedOf(entry), now: Date.now() }
  }

  async history(topic: string): Promise<History> {
    const updates: StoredUpdate[] = []
    const topics = [topic]
    for (let lastEventId = 'earliest'; ; ) {
      const page = await this.#hub.history({ topics, readable: topics, lastEventId, limit: 1_000 })
      updates.push(...page.updates.map(storedOf))
      lastEventId = page.lastEventId
      if (!page.more) return { updates, lastEventId }
    }
  }

  async *follow({ topics, from, signal, deleted }: FollowOptions): AsyncGenerator<StoredUpdate, void> {
    for await (const item of this.#hub.subscribe({ topics, readable: topics, from, signal })) {
      if (item.type === 'gap') throw incomplete(item.gap.reason)
      if (item.type === 'deleted' && item.deletion.through !== undefined) deleted?.()
      if (item.type === 'update') yield storedOf(item.entry)
    }
  }

  async delete(topics: readonly string[]): Promise<void> {
    try {
      await this.#hub.delete({ topics })
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'update_missing') throw error
    }
  }

  async *watch(selector: string, signal: AbortSignal, opened: () => void): AsyncGenerator<StoredUpdate, void> {
    const topics = [selector]
    const items = this.#hub.subscribe({ topics, readable: topics, from: this.#hub.lastEventId, signal })
    opened()
    for await (const item of items) if (item.type === 'update') yield storedOf(item.entry)
  }
}

function storedOf({ id, time, update: { topics, type = 'message', data } }: Entry): StoredUpdate {
  return { id, topic: topics[0] as string, type, data, time }
}

export function takenOver(cause: unknown): RunError {
  return new RunError('taken_over', 'another writer continues the run, or has ended it', { cause })
}

export function incomplete(reason: string): RunError {
  return new RunError('incomplete', `the hub no longer has all chunks of the run (${reason})`)
}
