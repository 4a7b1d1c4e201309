// All audiences of a hub, by their interest and by the topics that they want.
import { TopicIndex } from '../topics/topic-index.ts'
import { Audience } from './audience.ts'
import type { Interest } from './interest.ts'

export class Audiences<Member> implements Iterable<Audience<Member>> {
  readonly #byKey = new Map<string, Audience<Member>>()
  readonly #index = new TopicIndex<Audience<Member>>()

  get size(): number {
    return this.#byKey.size
  }

  [Symbol.iterator](): Iterator<Audience<Member>> {
    return this.#byKey.values()
  }

  /** The audience with this interest; a new one when there is none. */
  for(interest: Interest): Audience<Member> {
    const known = this.#byKey.get(interest.key)
    if (known) return known
    const audience = new Audience<Member>(interest)
    this.#byKey.set(interest.key, audience)
    this.#index.add(interest.selectors, audience)
    return audience
  }

  /** Removes a member, and with the last one its audience. */
  remove(member: Member, audience: Audience<Member>): void {
    audience.members.delete(member)
    this.release(audience)
  }

  /** Removes an audience that nobody uses any more. */
  release(audience: Audience<Member>): void {
    if (!audience.isUnused) return
    this.#byKey.delete(audience.interest.key)
    this.#index.remove(audience.interest.selectors, audience)
  }

  /** The audiences that want one of the topics, each once. */
  match(topics: readonly string[]): ReadonlySet<Audience<Member>> {
    return this.#index.match(topics)
  }
}
