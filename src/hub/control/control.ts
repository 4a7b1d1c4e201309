// The way to a stream by its control id: the stream may be on this node, or on another one of the same log.
import { TidingsError } from '../../errors.ts'
import type { Bus } from '../../log/bus.ts'
import { shareBus } from '../nodes/shared-bus.ts'
import type { Subscriber } from '../subscriber.ts'
import { type StreamChange, validateChange } from './change.ts'
import type { Changes } from './changes.ts'
import { type ControlAnswer, type ControlQuestion, Forwarding } from './forwarding.ts'
import { type ControlOffer, makeNodeId, makeOffer, parseControlId } from './offer.ts'

export class Control {
  /** The id of this node. */
  readonly node: string
  /** The bus, for other parts of the hub too. */
  readonly bus: Bus | undefined
  readonly #changes: Changes
  readonly #forwarding: Forwarding | undefined

  constructor(bus: Bus | undefined, changes: Changes, failed: (error: unknown) => void) {
    this.node = bus?.node ?? makeNodeId()
    this.bus = bus && shareBus(bus)
    this.#changes = changes
    this.#forwarding = this.bus && new Forwarding(this.bus, (question) => this.#decide(question), failed)
  }

  /** A new control id, for a stream of this node. */
  offer(): ControlOffer {
    return makeOffer(this.node)
  }

  /** Has the node of a stream accept a valid change; without one, finds out whether there is such a stream. */
  async ask(id: string, change?: StreamChange): Promise<ControlAnswer> {
    const address = parseControlId(id)
    if (!address) throw new TidingsError('not_found', 'this is not a control URL of this hub')
    const question = { key: address.key, ...(change && { change }) }
    if (address.node === this.node) return this.#decide(question)
    if (!this.#forwarding) throw new TidingsError('not_found', 'the stream has ended, or is on another hub')
    // A change may be large, so the other node is asked first whether it has the stream.
    const answer = await this.#forwarding.ask(address.node, { key: address.key })
    return change ? this.#forwarding.ask(address.node, question) : answer
  }

  /** Changes a stream of this node, or the one with a control id. @throws as `Hub.change` does */
  async change(target: Subscriber | string, change: StreamChange): Promise<void> {
    validateChange(change)
    if (typeof target === 'string') await this.ask(target, change)
    else this.#changes.accept(this.#changes.of(target), change)
  }

  close(): void {
    this.#forwarding?.close()
  }

  #decide({ key, change }: ControlQuestion): ControlAnswer {
    const stream = this.#changes.find(key)
    if (change) this.#changes.accept(stream, change)
    return { subject: stream.subject }
  }
}
