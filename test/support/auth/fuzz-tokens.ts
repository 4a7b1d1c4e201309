// Tokens for fuzzing: with unusual claims, or damaged.
import { dialects, keys, type Rights, token } from '../http/mercure.ts'

/** Selects a minted token, and the damage to apply to it. */
export interface Damage {
  readonly isOdd: boolean
  readonly token: number
  readonly at: number
  readonly kind: 'none' | 'cut' | 'change' | 'repeat'
}
const detailType = 'https://mercure.rocks/authorization-detail'
const everything: Rights = { publish: ['*'], subscribe: ['*'], payload: { user: 'x' } }
const oddValues = [null, 0, '', 'x', [], {}, [null], [1], [{}], ['{x', '*', '\n'], { match: '*' }, ['x'.repeat(5_000)]]
const oddClaims: Record<string, unknown>[] = [
  ...oddValues.flatMap((value) => [
    { mercure: value },
    { 'https://mercure.rocks/': value },
    { mercure: { publish: value, subscribe: value } },
    { authorization_details: value },
    { authorization_details: [{ type: detailType, actions: ['publish', 'subscribe'], topics: value }] },
    { authorization_details: [{ type: detailType, actions: value, topics: [{ match: '*' }], payload: value }] },
    { aud: value },
    { sub: value }
  ]),
  ...[0, -1, 1.5, 1e15, 1e300, '4e9', null].flatMap((time) => [{ exp: time }, { nbf: time }, { iat: time }])
]

export interface HostileTokens {
  /** Tokens with all permissions, in both dialects; publishers and subscribers share one key. */
  readonly good: readonly string[]
  readonly odd: readonly string[]
}

export async function hostileTokens(): Promise<HostileTokens> {
  const ofBoth = (rights: Rights) => dialects.map((dialect) => token(dialect, { ...rights, key: keys.publish }))
  const good = await Promise.all(ofBoth(everything))
  const odd = await Promise.all(oddClaims.flatMap((claims) => ofBoth({ ...everything, claims })))
  return { good, odd }
}

export function damaged(tokens: HostileTokens, { isOdd, token, at, kind }: Damage): string {
  const all = isOdd ? tokens.odd : tokens.good
  const whole = all[token % all.length] as string
  const place = at % whole.length
  if (kind === 'cut') return whole.slice(0, place)
  if (kind === 'repeat') return whole.slice(0, place) + whole
  return kind === 'change' ? `${whole.slice(0, place)}${place % 2 ? '.' : 'A'}${whole.slice(place + 1)}` : whole
}
