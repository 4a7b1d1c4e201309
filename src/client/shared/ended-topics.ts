// Notices that all topics of a member have ended. The shared stream lasts longer.
import { isPattern } from './topic-filter.ts'

export class EndedTopics {
  readonly #topics = new Set<string>()

  /** Whether the update with this data ended the last one of these topics. */
  isLast(data: string, selectors: readonly string[]): boolean {
    if (!data.includes('"end":true')) return false
    const { end, topics = [] } = JSON.parse(data) as { end?: boolean; topics?: readonly string[] }
    if (!end) return false
    for (const topic of topics) this.#topics.add(topic)
    return selectors.every((selector) => this.#topics.has(selector) && !isPattern(selector))
  }
}
