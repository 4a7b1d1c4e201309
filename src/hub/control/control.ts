// The way to a stream by its control id: the stream may be on this node, or on another one of the same log.
import { TidingsError } from '../../errors.ts'
import type { Bus } from '../../log/bus.ts'
import type { StreamChange } from './change.ts'
import type { Changes } from './changes.ts'
import { type ControlAnswer, type ControlQuestion, Forwarding } from './forwarding.ts'
import { type ControlOffer, makeNodeId, makeOffer, parseControlId } from './offer.ts'

export class Control {
  readonly #node: string
  readonly #changes: Changes
  readonly #forwarding: Forwarding | undefined

  constructor(bus: Bus | undefined, changes: Changes, failed: (error: unknown) => void) {
    this.#node = bus?.node ?? makeNodeId()
    this.#changes = changes
    this.#forwarding = bus && new Forwarding(bus, (question) => this.#decide(question), failed)
  }

  /** A new control id, for a stream of this node. */
  offer(): ControlOffer {
    return makeOffer(this.#node)
  }

  /** Has the node of a stream accept a valid change; without one, finds out whether there is such a stream. */
  async ask(id: string, change?: StreamChange): Promise<ControlAnswer> {
    const address = parseControlId(id)
    if (!address) throw new TidingsError('not_found', 'it is no control URL of this hub')
    const question = { key: address.key, ...(change && { change }) }
    if (address.node === this.#node) return this.#decide(question)
    if (!this.#forwarding) throw new TidingsError('not_found', 'the stream has ended, or is on another hub')
    // A change may be large, so the other node is asked first whether it has the stream.
    const answer = await this.#forwarding.ask(address.node, { key: address.key })
    return change ? this.#forwarding.ask(address.node, question) : answer
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
