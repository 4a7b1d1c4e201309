// Tells that this node lives, and finds out which others do not any more. It ends nobody.
import type { Roster } from '../../log/roster.ts'

/** Of the time within which a node that died has to be told of: how often is looked, how long a lease lasts, how often it may be missed. */
const renewalsPerTimeout = 8
const leaseIntervals = 3
const maxMissed = 3

export class Liveness {
  readonly #roster: Roster
  readonly #node: string
  readonly #interval: number
  readonly #nodes: ReadonlyMap<string, unknown>
  readonly #onDead: (node: string) => void
  /** How often in a row nodes have been missed of which there is somebody on the roster. */
  #missed = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined
  #isLooking = false

  /** `timeout` is in milliseconds. `nodes` has those that are looked for; `died` is told of one each time that it is missed for good. */
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

  /** Answers which nodes live, this one among them from now on. */
  renew(): Promise<readonly string[]> {
    return this.#roster.renew(this.#node, leaseIntervals * this.#interval)
  }

  /** Never rejects: while the log is away nobody is missed, and afterwards everybody has time to tell again. */
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
