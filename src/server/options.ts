// The table of the server's options: name, kind, default and what it is for. It reads none.
import type { Dialect } from '../auth/dialect.ts'
import type { IssuerKeys } from '../auth/verifier.ts'
import type { Durability } from '../log/lmdb-store.ts'
import type { RetentionRule } from '../logs.ts'
import type { Kind, Value } from './config-value.ts'

/** What a server needs to know. Texts and lists that are empty say nothing. */
export interface Config {
  readonly host: string
  readonly port: number
  readonly open: boolean
  /** Empty for history in memory. */
  readonly data: string
  readonly durability: Durability
  readonly retention: readonly RetentionRule[]
  readonly publisherKey: string
  readonly subscriberKey: string
  readonly publisherJwks: string
  readonly subscriberJwks: string
  readonly publisherAlgorithms: readonly string[]
  readonly subscriberAlgorithms: readonly string[]
  readonly issuers: readonly (string | IssuerKeys)[]
  readonly audience: readonly string[]
  /** In milliseconds. */
  readonly clockTolerance: number
  readonly anonymous: boolean
  readonly subscriptions: boolean
  readonly corsOrigins: readonly string[]
  readonly publishOrigins: readonly string[]
  readonly publicUrls: readonly string[]
  readonly cookieName: string
  readonly dialects: readonly Dialect[]
}

export interface Option {
  /** The key; `--some-name` and `TIDINGS_SOME_NAME` follow from `someName`. */
  readonly name: keyof Config
  readonly kind: Kind
  readonly default: Value
  readonly help: string
}

export const options: readonly Option[] = [
  { name: 'host', kind: 'text', default: '127.0.0.1', help: 'address to listen on' },
  { name: 'port', kind: 'port', default: 5000, help: 'port to listen on, 0 for any that is free' },
  {
    name: 'open',
    kind: 'switch',
    default: false,
    help: 'let anyone who can reach the server publish and subscribe, also beyond this machine'
  },
  { name: 'data', kind: 'folder', default: '', help: 'folder to keep history in; left out, it is kept in memory' },
  {
    name: 'durability',
    kind: 'flush|os',
    default: 'flush',
    help: 'a publish is answered when it is on disk, or sooner (os), but then all history goes with a crash or a kill'
  },
  {
    name: 'retention',
    kind: 'rules',
    default: [],
    help: 'what is kept for how long, as JSON: [{"match":"prices/{symbol}","last":1},{"match":"*","age":"7d","bytes":"1GiB"}]'
  },
  {
    name: 'publisherKey',
    kind: 'secret',
    default: '',
    help: "what publishers' tokens are signed with: a secret, or a public key as PEM or JWK; best given as a variable"
  },
  { name: 'subscriberKey', kind: 'secret', default: '', help: "what subscribers' tokens are signed with" },
  { name: 'publisherJwks', kind: 'text', default: '', help: "address of a JWK Set for publishers' tokens" },
  { name: 'subscriberJwks', kind: 'text', default: '', help: "address of a JWK Set for subscribers' tokens" },
  {
    name: 'publisherAlgorithms',
    kind: 'list',
    default: [],
    help: "algorithms that publishers' tokens may be signed with, such as HS256,RS256; left out, what goes with the key"
  },
  { name: 'subscriberAlgorithms', kind: 'list', default: [], help: "the same for subscribers' tokens" },
  {
    name: 'issuers',
    kind: 'issuers',
    default: [],
    help: 'issuers whose tokens are accepted, by name, or as JSON with keys of their own; left out, any who has our keys'
  },
  {
    name: 'audience',
    kind: 'list',
    default: [],
    help: "the hub's names, for one of which a token of Mercure 1.0 has to be; left out, the hub's address"
  },
  { name: 'clockTolerance', kind: 'duration', default: 0, help: 'how far clocks of issuers may be off, at most 5m' },
  { name: 'anonymous', kind: 'switch', default: false, help: 'let those without a token subscribe to what is public' },
  {
    name: 'subscriptions',
    kind: 'switch',
    default: false,
    help: 'announce and list who is subscribed, to those who may know'
  },
  {
    name: 'corsOrigins',
    kind: 'list',
    default: [],
    help: 'origins whose pages may read: https://example.com, https://*.example.com, null or *'
  },
  { name: 'publishOrigins', kind: 'list', default: [], help: 'origins whose pages may publish with a cookie' },
  {
    name: 'publicUrls',
    kind: 'list',
    default: [],
    help: 'the addresses that clients use, such as https://hub.example.com; a request for any other host is refused'
  },
  {
    name: 'cookieName',
    kind: 'text',
    default: '',
    help: "name of the cookie that holds a token; left out, each dialect's own"
  },
  { name: 'dialects', kind: 'list', default: ['1.0', '0.x'], help: 'dialects of Mercure that are spoken: 1.0,0.x' }
]
