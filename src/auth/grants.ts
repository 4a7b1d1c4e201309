// What a token permits: to publish to which topics, to read which private updates, to operate the hub, and until when.
import { Selection, type Selector } from '../topics/matcher.ts'
import type { Dialect } from './dialect.ts'

/** A JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

/** The payload of certain subscriptions. A rule without a payload takes precedence over later rules that have one. */
export interface PayloadRule {
  readonly selectors: readonly Selector[]
  readonly payload?: Json
}

export interface GrantsInit {
  readonly dialect: Dialect
  /** The topics that may be published to. Undefined if the token does not mention publishing. */
  readonly publish?: readonly Selector[] | undefined
  /** The topics whose private updates may be read. */
  readonly subscribe?: readonly Selector[] | undefined
  /** The first rule that covers a subscription applies. */
  readonly payloads?: readonly PayloadRule[] | undefined
  /** When the grants expire, in milliseconds since 1970; default Infinity. */
  readonly until?: number
  /** The claim `sub`. */
  readonly subject?: string | undefined
  /** The claim `jti`. */
  readonly jti?: string | undefined
  /** The claim `iat`, in milliseconds since 1970. */
  readonly issuedAt?: number | undefined
  /** Whether the token may operate the hub; default false. */
  readonly isOperator?: boolean
}

/** The claims by which a token can be revoked. Streams keep this object, and not the grants. */
export type TokenIdentity = Pick<GrantsInit, 'subject' | 'jti' | 'issuedAt'>

interface Payload {
  readonly texts: ReadonlySet<string>
  readonly selection: Selection
  readonly payload: Json | undefined
}

/** The grants of one token. Immutable. */
export class Grants {
  readonly dialect: Dialect
  /** The topics that may be published to. */
  readonly publish: Selection
  /** The topics whose private updates may be read. */
  readonly subscribe: readonly Selector[]
  /** When the grants expire, in milliseconds since 1970; Infinity for never. */
  readonly until: number
  /** The claim `sub`: who the token was issued to. */
  readonly subject?: string
  /** Undefined for a token that has neither `sub` nor `jti`, so that it cannot be revoked. */
  readonly identity?: TokenIdentity
  /** Whether the token mentions publishing, even if its list is empty. */
  readonly isPublisher: boolean
  /** Whether the token may operate the hub, such as revoke tokens. */
  readonly isOperator: boolean
  readonly #readable: Selection
  readonly #payloads: readonly Payload[]

  /** @throws RangeError for a URL pattern that is malformed or too expensive to match */
  constructor({
    dialect,
    publish,
    subscribe = [],
    payloads = [],
    until = Number.POSITIVE_INFINITY,
    subject,
    jti,
    issuedAt,
    isOperator = false
  }: GrantsInit) {
    this.dialect = dialect
    this.publish = new Selection(publish ?? [])
    this.isPublisher = publish !== undefined
    this.#readable = new Selection(subscribe)
    this.subscribe = this.#readable.selectors
    this.#payloads = payloads.map(payloadOf)
    this.until = until
    this.isOperator = isOperator
    if (subject !== undefined) this.subject = subject
    if (subject !== undefined || jti !== undefined) this.identity = { subject, jti, issuedAt }
  }

  /** The claim `jti`: the id of the token. */
  get jti(): string | undefined {
    return this.identity?.jti
  }

  /** The claim `iat`: when the token was issued, in milliseconds since 1970. */
  get issuedAt(): number | undefined {
    return this.identity?.issuedAt
  }

  /** The grants of a client without a token: none. */
  static anonymous(dialect: Dialect = '1.0'): Grants {
    return anonymous[dialect]
  }

  /** The grants of everyone on a hub without keys: publish everything, read no private updates. */
  static open(dialect: Dialect = '1.0'): Grants {
    return open[dialect]
  }

  /** Whether an update with these topics may be published. The token must cover each of them. */
  mayPublish(topics: readonly string[]): boolean {
    return topics.length > 0 && topics.every((topic) => this.publish.covers(topic))
  }

  /**
   * Whether private updates of the topic may be read. An update with several topics may be read if one of its topics
   * may.
   */
  mayRead(topic: string): boolean {
    return this.#readable.covers(topic)
  }

  /**
   * The payload in announcements of a subscription [Mercure 1.0, Payloads]; undefined for none. A rule applies if it
   * covers the text of the subscription's selector as a topic, or contains the same text.
   */
  payloadFor(selector: string): Json | undefined {
    return this.#payloads.find(({ texts, selection }) => texts.has(selector) || selection.covers(selector))?.payload
  }
}

// Made once: every request without a token has one of them.
const anonymous = { '1.0': new Grants({ dialect: '1.0' }), '0.x': new Grants({ dialect: '0.x' }) }
const open = {
  '1.0': new Grants({ dialect: '1.0', publish: ['*'] }),
  '0.x': new Grants({ dialect: '0.x', publish: ['*'] })
}

function payloadOf({ selectors, payload }: PayloadRule): Payload {
  const texts = selectors.map((selector) => (typeof selector === 'string' ? selector : selector.match))
  return { texts: new Set(texts), selection: new Selection(selectors), payload }
}
