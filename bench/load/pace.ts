// Decides when to publish next, in a closed or an open loop, and counts publishes.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Pace, Target } from './protocol.ts'
import { Publisher } from './publisher.ts'

// Open loop: enough connections that a slow response does not delay the next update.
const OPEN_LOOP_CONNECTIONS = 16
const TICK_MILLIS = 2

export class Publishing {
  /** Updates in successful publishes. Each subscriber must receive exactly this number. */
  accepted = 0
  answered = 0
  refused = 0
  readonly #publishers: Publisher[]
  readonly #updatesEach: number
  #on = true
  #done: Promise<unknown> = Promise.resolve()

  private constructor(publishers: Publisher[], updatesEach: number) {
    this.#publishers = publishers
    this.#updatesEach = updatesEach
  }

  /** `received` is how many updates the slowest subscriber has. */
  static async start(target: Target, pace: Pace, received: () => number): Promise<Publishing> {
    const connections = 'inFlight' in pace ? pace.inFlight : OPEN_LOOP_CONNECTIONS
    const { publishPorts: ports } = target
    const opening = Array.from({ length: connections }, (_, at) =>
      Publisher.open(target, ports[at % ports.length] ?? 0)
    )
    const publishers = await Promise.all(opening)
    const publishing = new Publishing(publishers, target.lines?.count ?? 1)
    // Every connection is used once before the load begins: Node accepts one connection per turn of its event loop, and
    // a saturated server would leave the first publish on the last of them waiting for seconds.
    await Promise.all(publishers.map((publisher) => publishing.#publish(publisher, performance.now())))
    publishing.#done =
      'inFlight' in pace
        ? publishing.#closedLoop(pace.behind ?? Number.POSITIVE_INFINITY, received)
        : publishing.#openLoop(pace.perSecond)
    return publishing
  }

  /** Stops publishing, and waits for the pending responses. */
  async stop(): Promise<void> {
    this.#on = false
    await this.#done
    for (const publisher of this.#publishers) publisher.close()
  }

  async #closedLoop(behind: number, received: () => number): Promise<void> {
    const keepOneInFlight = async (publisher: Publisher): Promise<void> => {
      while (this.#on) {
        if (behind < Number.POSITIVE_INFINITY && this.accepted - received() > behind) await sleep(1)
        else await this.#publish(publisher, performance.now())
      }
    }
    await Promise.all(this.#publishers.map(keepOneInFlight))
  }

  // Latency counts from the time when the update was due: the server causes the wait for a free connection.
  async #openLoop(perSecond: number): Promise<void> {
    const idle = [...this.#publishers]
    const due: number[] = []
    const next = (): void => {
      const publisher = due.length > 0 ? idle.pop() : undefined
      if (!publisher) return
      this.#publish(publisher, due.shift() ?? performance.now()).then(() => {
        idle.push(publisher)
        next()
      }, rethrow)
    }
    const started = performance.now()
    for (let sent = 0; this.#on; await sleep(TICK_MILLIS)) {
      for (; performance.now() - started >= (sent * 1000) / perSecond; sent++) {
        due.push(performance.now())
        next()
      }
    }
    while (due.length > 0 || idle.length < this.#publishers.length) await sleep(TICK_MILLIS)
  }

  async #publish(publisher: Publisher, since: number): Promise<void> {
    const status = await publisher.publish(since)
    if (status >= 200 && status < 300) {
      this.answered++
      this.accepted += this.#updatesEach
    } else {
      this.refused++
    }
    // A broken connection fails at once, every time. Without this pause the loop would spin.
    if (status === 0) await sleep(100)
  }
}

function rethrow(error: unknown): never {
  throw error
}
