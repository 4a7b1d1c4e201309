// A revocation: what an operator withdraws, until when, and how it is written as a record of the log's roster.
import { TidingsError } from '../../errors.ts'
import { type Announcement, type Member, noNode } from '../../log/roster.ts'
import { type Selector, textOf } from '../../topics/matcher.ts'
import type { Update } from '../../update.ts'
import type { TokenIdentity } from '../connection.ts'
import { clientAddressOf, normalAddress } from './address.ts'
import { revocationTopics } from './topics.ts'

const kinds = ['subject', 'jti', 'topic', 'address'] as const

export type RevocationKind = (typeof kinds)[number]

/** What is revoked: exactly one of `subject`, `jti`, `topic` and `address`, each of 1 to 4,096 bytes. */
export interface RevocationTarget {
  /** Refuses all tokens with this `sub` that were issued up to now, or do not say when. Their streams end. */
  readonly subject?: string
  /** Refuses the token with this id. Its streams end. */
  readonly jti?: string
  /** Ends the streams that have this selector text. With `until`, new ones are refused. */
  readonly topic?: string
  /** Ends the streams of this IP address, without a port. With `until`, new streams and updates from it are refused. */
  readonly address?: string
}

/** What to revoke, and until when. */
export interface RevocationRequest extends RevocationTarget {
  /**
   * When it ends, in milliseconds since 1970. For a token, give the time at which it expires. Default: never for `subject` and `jti`; at
   * once for `topic` and `address`, so that they only end the streams that are open.
   */
  readonly until?: number
}

export interface Revocation {
  /** The topic of its record, which no other revocation has. */
  readonly id: string
  readonly kind: RevocationKind
  readonly value: string
  /** When it was made, in milliseconds since 1970. */
  readonly at: number
  readonly until: number | undefined
}

/** The properties of a client by which it can be revoked. */
export interface RevocableClient {
  readonly token?: TokenIdentity | undefined
  /** With or without a port. */
  readonly address?: string
  readonly selectors?: readonly Selector[]
}

const maxBytes = 4_096
/** The year 10000. A later time is probably in another unit. */
const maxUntil = 253_402_300_800_000
/** Clocks of issuers may differ by so much: a token may be accepted for that long after it expires. In milliseconds. */
const maxClockTolerance = 300_000

/** @throws TidingsError `revocation_invalid` */
export function readRevocation({ until, ...target }: RevocationRequest, now: number): Revocation {
  const { kind, value } = readTarget(target)
  if (until !== undefined) checkUntil(until, now)
  return { id: revocationTopics + crypto.randomUUID(), kind, value, at: now, until }
}

/** @throws TidingsError `revocation_invalid` */
export function readTarget(target: RevocationTarget): Pick<Revocation, 'kind' | 'value'> {
  const [[name, value] = [], ...more] = Object.entries(target).filter(([, text]) => text !== undefined)
  const kind = kinds.find((known) => known === name)
  if (!kind || more.length > 0) refuse('give exactly one of subject, jti, topic and address')
  return { kind, value: readValue(kind, value) }
}

function readValue(kind: RevocationKind, value: unknown): string {
  if (typeof value !== 'string' || value === '') refuse(`${kind} must be a text of at least one character`)
  const bytes = Buffer.byteLength(value)
  if (bytes > maxBytes) refuse(`the limit of ${kind} is ${maxBytes} bytes, got ${bytes}`)
  if (kind !== 'address') return value
  return normalAddress(value) ?? refuse(`address must be an IP address without a port, got ${JSON.stringify(value)}`)
}

function checkUntil(until: unknown, now: number): void {
  if (typeof until !== 'number' || !Number.isFinite(until)) refuse('until must be a number')
  if (until <= now) refuse('until is in the past; check its unit')
  if (until > maxUntil) refuse('until is after the year 9999; check its unit')
}

function refuse(detail: string): never {
  throw new TidingsError('revocation_invalid', detail)
}

/** When it refuses nothing more, in milliseconds since 1970. */
export function endOf({ kind, at, until }: Revocation): number {
  if (kind === 'subject' || kind === 'jti') return (until ?? Number.POSITIVE_INFINITY) + maxClockTolerance
  return until ?? at
}

export function matches({ kind, value, at }: Revocation, { token, address, selectors }: RevocableClient): boolean {
  if (kind === 'jti') return token?.jti === value
  if (kind === 'subject') return token?.subject === value && (token.issuedAt ?? at) <= at
  if (kind === 'address') return address !== undefined && clientAddressOf(address) === value
  return selectors?.some((selector) => textOf(selector) === value) === true
}

/** Whether the first revocation refuses everything that the second one refuses. */
export function covers(one: Revocation, other: Revocation): boolean {
  return one.kind === other.kind && one.value === other.value && one.at >= other.at && endOf(one) >= endOf(other)
}

/** The announcement that adds it to the roster. Its entry has no content, so a reader of the history learns nothing. */
export function additionOf({ id, kind, value, at, until }: Revocation): Announcement {
  const update: Update = { topics: [id], data: '', private: true }
  const record = JSON.stringify({ kind, value, at, until })
  return { update, member: { topic: id, node: noNode, record, end: update } }
}

/** The announcement that removes it from the roster. */
export function removalOf({ id }: Revocation): Announcement {
  return { update: { topics: [id], data: '', private: true }, member: null }
}

/** Undefined for a record that is no revocation that this version knows. */
export function readRecord({ topic, record }: Pick<Member, 'topic' | 'record'>): Revocation | undefined {
  try {
    const { kind, value, at, until } = JSON.parse(record) as Revocation
    const isKnown = kinds.includes(kind) && typeof value === 'string' && typeof at === 'number'
    if (!isKnown) return undefined
    return { id: topic, kind, value, at, until: typeof until === 'number' ? until : undefined }
  } catch {
    return undefined
  }
}
