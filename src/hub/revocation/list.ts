// The revocations that a node knows, by what they revoke. It knows neither the log nor the streams.
import { textOf } from '../../topics/matcher.ts'
import { clientAddressOf } from './address.ts'
import { covers, endOf, matches, type RevocableClient, type Revocation, type RevocationKind } from './revocation.ts'

/** The code of the error with which a client is refused. */
export type RevocationCode = 'token_revoked' | 'revoked'

export class RevocationList {
  readonly #byId = new Map<string, Revocation>()
  /** Several revocations of one value differ in their times. */
  readonly #byValue: Record<RevocationKind, Map<string, Set<Revocation>>> = {
    subject: new Map(),
    jti: new Map(),
    topic: new Map(),
    address: new Map()
  }

  get size(): number {
    return this.#byId.size
  }

  [Symbol.iterator](): Iterator<Revocation> {
    return this.#byId.values()
  }

  get(id: string): Revocation | undefined {
    return this.#byId.get(id)
  }

  /** All revocations of this value. */
  of({ kind, value }: Pick<Revocation, 'kind' | 'value'>): Revocation[] {
    return [...(this.#byValue[kind].get(value) ?? [])]
  }

  add(revocation: Revocation): void {
    const { id, kind, value } = revocation
    this.#byId.set(id, revocation)
    const others = this.#byValue[kind].get(value)
    if (others) others.add(revocation)
    else this.#byValue[kind].set(value, new Set([revocation]))
  }

  delete(id: string): void {
    const revocation = this.#byId.get(id)
    if (!revocation) return
    this.#byId.delete(id)
    const values = this.#byValue[revocation.kind]
    const others = values.get(revocation.value)
    others?.delete(revocation)
    if (others?.size === 0) values.delete(revocation.value)
  }

  /** Those that are no longer needed next to this one. */
  coveredBy(revocation: Revocation): Revocation[] {
    return this.of(revocation).filter((other) => other !== revocation && covers(revocation, other))
  }

  /** Whether another one refuses everything that this one refused. */
  isCovered(revocation: Revocation): boolean {
    return this.of(revocation).some((other) => covers(other, revocation))
  }

  /** Those that have refused nothing since this time. */
  endedBefore(time: number): Revocation[] {
    const ended: Revocation[] = []
    for (const revocation of this.#byId.values()) if (endOf(revocation) <= time) ended.push(revocation)
    return ended
  }

  refusalOf(client: RevocableClient, now: number): RevocationCode | undefined {
    if (this.#byId.size === 0) return undefined
    const { token, address, selectors = [] } = client
    const refuses = (kind: RevocationKind, value: string | undefined) => this.#refuses(kind, value, client, now)
    if (refuses('jti', token?.jti) || refuses('subject', token?.subject)) return 'token_revoked'
    const { address: addresses, topic: topics } = this.#byValue
    if (addresses.size > 0 && address && refuses('address', clientAddressOf(address))) return 'revoked'
    return topics.size > 0 && selectors.some((selector) => refuses('topic', textOf(selector))) ? 'revoked' : undefined
  }

  #refuses(kind: RevocationKind, value: string | undefined, client: RevocableClient, now: number): boolean {
    const found = value === undefined ? undefined : this.#byValue[kind].get(value)
    if (!found) return false
    for (const revocation of found) if (now < endOf(revocation) && matches(revocation, client)) return true
    return false
  }
}
