// Who is on the roster of an LmdbLog, by topic. It knows no update; what it writes belongs to whatever batch is being written.

import type { Member } from '../roster.ts'
import { LmdbValues, type Values } from './values.ts'

const pageSize = 1_000

export class LmdbRoster {
  readonly #members: LmdbValues<Member, string>
  readonly #placeOf: (topic: string) => string

  /** `placeOf` makes a key of any topic. */
  constructor(values: Values, placeOf: (topic: string) => string) {
    this.#members = new LmdbValues(values, 'roster')
    this.#placeOf = placeOf
  }

  has(topic: string): boolean {
    return this.#members.keys.doesExist(this.#placeOf(topic))
  }

  /** `mustBeOpen` throws where no more can be read. */
  *pages(mustBeOpen: () => void): Generator<readonly Member[], void, undefined> {
    for (let after: string | undefined; ; ) {
      mustBeOpen()
      // None stays open while a page is looked at, for others write meanwhile.
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
