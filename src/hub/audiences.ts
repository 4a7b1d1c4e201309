// All audiences there are: the one that equals an interest, and those that an update concerns. It reaches no subscriber.
import { TopicIndex } from '../topics/index.ts'
import type { Audience } from './audience.ts'
import type { Subscriber } from './subscriber.ts'

export class Audiences implements Iterable<Audience> {
  readonly #byKey = new Map<string, Audience>()
  readonly #index = new TopicIndex<Audience>()

  get size(): number {
    return this.#byKey.size
  }

  [Symbol.iterator](): Iterator<Audience> {
    return this.#byKey.values()
  }

  /** The audience that is equal to this one, which becomes the first of its kind where there is none. */
  enlist(audience: Audience): Audience {
    const known = this.#byKey.get(audience.key)
    if (known) return known
    this.#byKey.set(audience.key, audience)
    this.#index.add(audience.selectors, audience)
    return audience
  }

  /** Lets a subscriber go, and its audience with the last one. */
  delist(subscriber: Subscriber): void {
    const { audience } = subscriber
    audience.members.delete(subscriber)
    if (audience.members.size > 0) return
    this.#byKey.delete(audience.key)
    this.#index.remove(audience.selectors, audience)
  }

  /** Those that want one of the topics, each once. */
  match(topics: readonly string[]): Set<Audience> {
    return this.#index.match(topics)
  }
}
