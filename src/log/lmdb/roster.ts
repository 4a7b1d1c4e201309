// The roster of an LmdbLog, by topic. Writes belong to the batch in progress.

import type { Member } from '../roster.ts'
import { LmdbValues, type Values } from './values.ts'

const pageSize = 1_000

export class LmdbRoster {
  readonly #members: LmdbValues<Member, string>
  readonly #placeOf: (topic: string) => string

  /** @param placeOf makes a key of any topic */
  constructor(values: Values, placeOf: (topic: string) => string) {
    this.#members = new LmdbValues(values, 'roster')
    this.#placeOf = placeOf
  }

  has(topic: string): boolean {
    return this.#members.keys.doesExist(this.#placeOf(topic))
  }

  /** @param mustBeOpen throws when the log is closed */
  *pages(mustBeOpen: () => void): Generator<readonly Member[], void, undefined> {
    for (let after: string | undefined; ; ) {
      mustBeOpen()
      // No cursor stays open between two pages, since commits happen meanwhile.
      const page = [
        ...this.#members.range({
          limit: pageSize,
          ...(after !== undefined && { start: after, exclusiveStart: true })
        })
      ]
      yield page.map(({ value }) => value)
      if (page.length < pageSize) return
      after = page.at(-1)?.key
    }
  }

  put({ topic, node, record, end }: Member): void {
    this.#members.put(this.#placeOf(topic), { topic, node, record, end })
  }

  remove(topic: string): void {
    this.#members.remove(this.#placeOf(topic))
  }
}
