// Tells other servers who comes and goes: turns what happens in the hub into events. It knows no update, and neither how
// events are delivered nor whether.
import { callbackAddress } from '../../http/access/callback.ts'
import type { Observer } from '../../hub/observer.ts'
import type { Subscriber } from '../../hub/subscriber.ts'
import type { Config } from '../config/options.ts'
import type { WebhookResult } from './delivery.ts'
import { DropReporter } from './drop-reporter.ts'
import { Occupancy } from './occupancy.ts'
import { WebhookQueue } from './queue.ts'

export type WebhookEvent = Config['webhookEvents'][number]
const allEvents: readonly WebhookEvent[] = ['subscribed', 'unsubscribed', 'topic-occupied', 'topic-vacated']

export type WebhookOptions = Pick<Config, 'webhooks' | 'webhookEvents' | 'webhookKey'>

/** Who is told how it went. */
export interface WebhookListener {
  counted(result: WebhookResult, events: number): void
  /** Told of events that are lost: at once, and then at most once a minute for each address. */
  failed(error: unknown): void
}

/** @throws RangeError as `Webhooks` does, before there is anybody to tell */
export function checkWebhooks(options: WebhookOptions): void {
  new Webhooks(options, { counted() {}, failed() {} })
}

export class Webhooks {
  /** What it has to be told; nothing at all where nobody listens. */
  readonly observer: Observer
  readonly #queues: readonly WebhookQueue[]
  readonly #losses: readonly DropReporter[]
  readonly #wanted: ReadonlySet<WebhookEvent>
  readonly #occupancy: Occupancy | undefined
  #key: string

  /** @throws RangeError that names the option, and quotes no address */
  constructor({ webhooks, webhookEvents: wanted, webhookKey }: WebhookOptions, listener: WebhookListener) {
    const addresses = [...new Set(webhooks)].map((text) => callbackAddress('webhooks', text))
    this.#key = webhookKey
    this.#wanted = new Set(wanted.length > 0 ? wanted : allEvents)
    this.#losses = addresses.map(({ origin }) => new DropReporter(`webhooks: ${origin}`, listener.failed))
    this.#queues = addresses.map((address, at) => this.#makeQueue(address, this.#losses[at] as DropReporter, listener))
    const isCounting = this.#wanted.has('topic-occupied') || this.#wanted.has('topic-vacated')
    this.#occupancy = isCounting
      ? new Occupancy((event, selector, time) => this.#tell(event, time, { selector }))
      : undefined
    this.observer = addresses.length > 0 ? this.#makeObserver() : {}
  }

  /** Signs with another key from now on. What else there is needs a restart: who is there already would not be known. */
  reload({ webhookKey }: WebhookOptions): void {
    this.#key = webhookKey
  }

  /** Delivers what there is still time for. */
  async finish(): Promise<void> {
    this.#occupancy?.finish()
    await Promise.all(this.#queues.map((queue) => queue.finish()))
    for (const losses of this.#losses) losses.finish()
  }

  #makeQueue(address: URL, losses: DropReporter, { counted }: WebhookListener): WebhookQueue {
    const settled = (result: WebhookResult, events: number, why: string) => {
      if (events > 0) counted(result, events)
      if (events > 0 && result !== 'delivered') losses.add(events, why)
    }
    return new WebhookQueue({ address, key: () => this.#key, settled })
  }

  #makeObserver(): Observer {
    return {
      joined: (subscriber) => {
        this.#tell('subscribed', Date.now(), describe(subscriber))
        this.#occupancy?.enter(selectorsOf(subscriber))
      },
      left: (subscriber, reason) => {
        const age = Math.round(subscriber.age)
        this.#tell('unsubscribed', Date.now(), { ...describe(subscriber), reason, age })
        this.#occupancy?.leave(selectorsOf(subscriber))
      }
    }
  }

  /** Written down once for all addresses. */
  #tell(event: WebhookEvent, time: number, facts: Record<string, unknown>): void {
    if (!this.#wanted.has(event)) return
    const json = JSON.stringify({ event, time, ...facts })
    for (const queue of this.#queues) queue.push(json)
  }
}

function describe(subscriber: Subscriber): Record<string, unknown> {
  const { request, address, subject } = subscriber.connection
  return { request, address, subject, selectors: selectorsOf(subscriber) }
}

function selectorsOf({ selectors }: Subscriber): string[] {
  return selectors.map((selector) => (typeof selector === 'string' ? selector : selector.match))
}
