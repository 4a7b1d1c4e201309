// What a token lets its bearer do: publish to which topics, read which private updates, until when. It knows no token and
// no claim.
import { Selection, type Selector } from '../topics/matcher.ts'
import type { Dialect } from './dialect.ts'

/** A JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

/** A payload, and the subscriptions that it goes with. No payload hides that of a later rule. */
export interface PayloadRule {
  readonly selectors: readonly Selector[]
  readonly payload?: Json
}

/** What grants are made of. */
export interface GrantsInit {
  readonly dialect: Dialect
  /** Undefined where publishing is not spoken of at all. */
  readonly publish?: readonly Selector[] | undefined
  readonly subscribe?: readonly Selector[] | undefined
  /** In order: the first that covers a subscription decides. */
  readonly payloads?: readonly PayloadRule[] | undefined
  /** In milliseconds since 1970; Infinity by default. */
  readonly until?: number
  readonly subject?: string | undefined
}

interface Payload {
  readonly texts: ReadonlySet<string>
  readonly selection: Selection
  readonly payload: Json | undefined
}

/** The rights of one bearer. Equal questions have equal answers for as long as it lives. */
export class Grants {
  readonly dialect: Dialect
  /** The topics that may be published to. */
  readonly publish: Selection
  /** The topics whose private updates may be read. */
  readonly subscribe: readonly Selector[]
  /** When the rights end, in milliseconds since 1970; Infinity if they do not. */
  readonly until: number
  /** Who the bearer is, as the issuer calls it. */
  readonly subject?: string
  /** Whether publishing was spoken of at all, be it only to grant nothing. */
  readonly isPublisher: boolean
  readonly #readable: Selection
  readonly #payloads: readonly Payload[]

  /** @throws RangeError where a URL pattern is malformed, or would take too long to try. */
  constructor({
    dialect,
    publish,
    subscribe = [],
    payloads = [],
    until = Number.POSITIVE_INFINITY,
    subject
  }: GrantsInit) {
    this.dialect = dialect
    this.publish = new Selection(publish ?? [])
    this.isPublisher = publish !== undefined
    this.#readable = new Selection(subscribe)
    this.subscribe = this.#readable.selectors
    this.#payloads = payloads.map(payloadOf)
    this.until = until
    if (subject !== undefined) this.subject = subject
  }

  /** Those of a client without a token: none. */
  static anonymous(dialect: Dialect = '1.0'): Grants {
    return new Grants({ dialect })
  }

  /** Those of a hub without keys: anyone may publish, and nobody reads what is private. */
  static open(dialect: Dialect = '1.0'): Grants {
    return new Grants({ dialect, publish: ['*'] })
  }

  /** Whether an update with these topics may be published: each of them has to be covered. */
  mayPublish(topics: readonly string[]): boolean {
    return topics.length > 0 && topics.every((topic) => this.publish.covers(topic))
  }

  /** Whether private updates of the topic may be read. An update with several topics may be read if one of them may. */
  mayRead(topic: string): boolean {
    return this.#readable.covers(topic)
  }

  /**
   * What others are told about the bearer's subscription with this selector [Mercure 1.0, Payloads]. The text of the selector
   * is taken for a topic; a rule that has this very text covers it as well. Undefined when there is nothing to tell.
   */
  payloadFor(selector: string): Json | undefined {
    return this.#payloads.find(({ texts, selection }) => texts.has(selector) || selection.covers(selector))?.payload
  }
}

function payloadOf({ selectors, payload }: PayloadRule): Payload {
  const texts = selectors.map((selector) => (typeof selector === 'string' ? selector : selector.match))
  return { texts: new Set(texts), selection: new Selection(selectors), payload }
}
