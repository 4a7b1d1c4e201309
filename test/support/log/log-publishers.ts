// Publishes to a log through several nodes while a fault occurs, and records the acknowledged entries and what each
// node delivered.
import { expect, onTestFinished } from 'vitest'
import type { Entry, RedisLog } from '../../../dist/index.js'
import { readAll, update } from './log-folder.ts'

export class Publishers {
  readonly acknowledged: Entry[] = []
  readonly refusals: string[] = []
  readonly seen: Entry[][] = []
  readonly #logs: readonly RedisLog[]
  #isOver = false
  readonly #publishing: Promise<void>[]

  private constructor(logs: readonly RedisLog[]) {
    this.#logs = logs
    this.#publishing = logs.map((log, node) => this.#publish(log, node))
  }

  static async begin(logs: readonly RedisLog[]): Promise<Publishers> {
    const seen = logs.map(() => [] as Entry[])
    for (const [node, log] of logs.entries()) await log.follow((entries) => void seen[node]?.push(...entries))
    const publishers = new Publishers(logs)
    // Runs also if the test fails: the loop would retry forever on a closed log.
    onTestFinished(() => publishers.#stop())
    publishers.seen.push(...seen)
    return publishers
  }

  /** Waits until `count` more entries are acknowledged. */
  async more(count = 50): Promise<void> {
    const goal = this.acknowledged.length + count
    await expect.poll(() => this.acknowledged.length).toBeGreaterThan(goal)
  }

  async finish(): Promise<void> {
    await this.more()
    await this.#stop()
  }

  get epochs(): string[] {
    return [...new Set(this.acknowledged.map(({ epoch }) => epoch))]
  }

  /** Every node delivered all entries of the epoch once, in the same order, including all acknowledged ones. */
  async expectOneHistory(epoch = this.#logs[0]?.epoch): Promise<void> {
    const of = (entries: readonly Entry[]) => entries.filter((entry) => entry.epoch === epoch)
    const { entries } = await readAll(this.#logs[0] as RedisLog)
    await expect.poll(() => this.seen.map((all) => of(all).length)).toEqual(this.seen.map(() => entries.length))
    for (const all of this.seen) expect(of(all)).toEqual(entries)
    expect(entries.map(({ offset }) => offset)).toEqual(entries.map((_, at) => at + 1))
    expect(new Set(entries.map((entry) => entry.update.data)).size, 'entries are unique').toBe(entries.length)
    const places = new Set(entries.map(({ id, update: { data } }) => `${id} ${data}`))
    const lacking = of(this.acknowledged).filter(({ id, update: { data } }) => !places.has(`${id} ${data}`))
    expect(lacking, 'acknowledged and not in the log').toEqual([])
  }

  async #stop(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#publishing)
  }

  async #publish(log: RedisLog, node: number): Promise<void> {
    for (let number = 1; !this.#isOver; number++) {
      try {
        this.acknowledged.push(...(await log.append([update(`${node}-${number}`)])))
      } catch (error) {
        this.refusals.push((error as { code: string }).code)
      }
    }
  }
}
