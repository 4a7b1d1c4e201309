// Renews the lease of this node, and detects nodes whose lease has ended.
import type { Roster } from '../../log/roster.ts'

/** Within the presence timeout: the number of checks, the length of a lease in checks, and how many checks may miss a node. */
const renewalsPerTimeout = 8
const leaseIntervals = 3
const maxMissed = 3

export class Liveness {
  readonly #roster: Roster
  readonly #node: string
  readonly #interval: number
  readonly #nodes: ReadonlyMap<string, unknown>
  readonly #onDead: (node: string) => void
  /** How many checks in a row have missed a node that has members on the roster. */
  #missed = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined
  #isLooking = false

  /** @param timeout in milliseconds @param nodes the nodes with members @param died called at each check that misses a node for good */
  constructor(
    roster: Roster,
    node: string,
    timeout: number,
    nodes: ReadonlyMap<string, unknown>,
    died: (node: string) => void
  ) {
    this.#roster = roster
    this.#node = node
    this.#interval = timeout / renewalsPerTimeout
    this.#nodes = nodes
    this.#onDead = died
  }

  start(): void {
    this.#timer = setInterval(() => void this.#check(), this.#interval).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Renews the lease of this node, and returns the living nodes. */
  renew(): Promise<readonly string[]> {
    return this.#roster.renew(this.#node, leaseIntervals * this.#interval)
  }

  /** Never rejects. While the log is unreachable no node is missed, and afterwards each has time to renew its lease. */
  async #check(): Promise<void> {
    if (this.#isLooking || this.#nodes.size === 0) return
    this.#isLooking = true
    try {
      this.#miss(new Set(await this.renew()))
    } catch {
      this.#missed.clear()
    }
    this.#isLooking = false
  }

  #miss(living: ReadonlySet<string>): void {
    const missed = new Map<string, number>()
    for (const node of this.#nodes.keys()) if (!living.has(node)) missed.set(node, (this.#missed.get(node) ?? 0) + 1)
    this.#missed = missed
    for (const [node, times] of missed) if (times >= maxMissed) this.#onDead(node)
  }
}
