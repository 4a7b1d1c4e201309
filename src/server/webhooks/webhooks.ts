// Turns subscribers that come and go into webhook events, and queues them for each URL.
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

export interface WebhookListener {
  counted(result: WebhookResult, events: number): void
  /** Called when events are lost: at once, and then at most once a minute for each URL. */
  failed(error: unknown): void
  /** Called after an attempt to deliver that will be repeated. */
  retrying(error: Error): void
}

/** @throws OptionError as `Webhooks` does, without starting anything */
export function checkWebhooks(options: WebhookOptions): void {
  new Webhooks(options, { counted() {}, failed() {}, retrying() {} })
}

export class Webhooks {
  /** The events of the hub that it needs. Empty without webhooks, so that they cost nothing. */
  readonly observer: Observer
  readonly #queues: readonly WebhookQueue[]
  readonly #reporters: readonly DropReporter[]
  readonly #wanted: ReadonlySet<WebhookEvent>
  readonly #occupancy: Occupancy | undefined
  #key: string

  /** @throws OptionError, which does not quote the URL */
  constructor({ webhooks, webhookEvents: wanted, webhookKey }: WebhookOptions, listener: WebhookListener) {
    const addresses = [...new Set(webhooks)].map((text) => callbackAddress('webhooks', text))
    this.#key = webhookKey
    this.#wanted = new Set(wanted.length > 0 ? wanted : allEvents)
    this.#reporters = addresses.map(({ origin }) => new DropReporter(`webhooks: ${origin}`, listener.failed))
    this.#queues = addresses.map((address, at) =>
      this.#makeQueue(address, this.#reporters[at] as DropReporter, listener)
    )
    const isCounting = this.#wanted.has('topic-occupied') || this.#wanted.has('topic-vacated')
    this.#occupancy = isCounting
      ? new Occupancy((event, selector, time) => this.#emit(event, time, { selector }))
      : undefined
    this.observer = addresses.length > 0 ? this.#makeObserver() : {}
  }

  /** Changes the key for signatures. Other URLs or events need a restart: nobody counted the subscribers for them so far. */
  reload({ webhookKey }: WebhookOptions): void {
    this.#key = webhookKey
  }

  /** Delivers the last events, for as long as there is time. */
  async finish(): Promise<void> {
    this.#occupancy?.finish()
    await Promise.all(this.#queues.map((queue) => queue.finish()))
    for (const reporter of this.#reporters) reporter.finish()
  }

  #makeQueue(address: URL, reporter: DropReporter, { counted, retrying }: WebhookListener): WebhookQueue {
    const settled = (result: WebhookResult, events: number, why: string) => {
      if (events > 0) counted(result, events)
      if (events > 0 && result !== 'delivered') reporter.add(events, why)
    }
    return new WebhookQueue({
      address,
      key: () => this.#key,
      settled,
      retrying: (why) => retrying(new Error(`${address.origin}: ${why}; the events wait for the next attempt`))
    })
  }

  #makeObserver(): Observer {
    return {
      joined: (subscriber) => {
        this.#emit('subscribed', Date.now(), describe(subscriber))
        this.#occupancy?.enter(selectorsOf(subscriber))
      },
      changed: (subscriber, before) => {
        // First what it has now, so that a selector that stays is not vacated.
        this.#occupancy?.enter(selectorsOf(subscriber))
        this.#occupancy?.leave(selectorsOf({ selectors: before }))
      },
      left: (subscriber, reason) => {
        const age = Math.round(subscriber.age)
        this.#emit('unsubscribed', Date.now(), { ...describe(subscriber), reason, age })
        this.#occupancy?.leave(selectorsOf(subscriber))
      }
    }
  }

  /** Encodes an event once for all URLs. */
  #emit(event: WebhookEvent, time: number, details: Record<string, unknown>): void {
    if (!this.#wanted.has(event)) return
    const json = JSON.stringify({ event, time, ...details })
    for (const queue of this.#queues) queue.push(json)
  }
}

function describe(subscriber: Subscriber): Record<string, unknown> {
  const { request, address, subject } = subscriber.connection
  return { request, address, subject, selectors: selectorsOf(subscriber) }
}

function selectorsOf({ selectors }: Pick<Subscriber, 'selectors'>): string[] {
  return selectors.map((selector) => (typeof selector === 'string' ? selector : selector.match))
}
