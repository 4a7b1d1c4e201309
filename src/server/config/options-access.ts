// The part of the table that says who may do what, and how Mercure is spoken. It reads none of it.
import type { Option } from './option.ts'

export const accessOptions: readonly Option[] = [
  {
    section: 'Who may do what',
    name: 'publisherKey',
    kind: 'secret',
    default: '',
    reload: true,
    help: "what publishers' tokens are signed with: a secret, or a public key as PEM or JWK; best given as a variable"
  },
  {
    section: 'Who may do what',
    name: 'subscriberKey',
    kind: 'secret',
    default: '',
    reload: true,
    help: "what subscribers' tokens are signed with"
  },
  {
    section: 'Who may do what',
    name: 'publisherJwks',
    kind: 'text',
    default: '',
    reload: true,
    help: "address of a JWK Set for publishers' tokens"
  },
  {
    section: 'Who may do what',
    name: 'subscriberJwks',
    kind: 'text',
    default: '',
    reload: true,
    help: "address of a JWK Set for subscribers' tokens"
  },
  {
    section: 'Who may do what',
    name: 'publisherAlgorithms',
    kind: 'list',
    default: [],
    reload: true,
    help: "algorithms that publishers' tokens may be signed with, such as HS256,RS256; left out, what goes with the key"
  },
  {
    section: 'Who may do what',
    name: 'subscriberAlgorithms',
    kind: 'list',
    default: [],
    reload: true,
    help: "the same for subscribers' tokens"
  },
  {
    section: 'Who may do what',
    name: 'issuers',
    kind: 'issuers',
    default: [],
    reload: true,
    help: 'issuers whose tokens are accepted, by name, or as JSON with keys of their own; left out, any who has our keys'
  },
  {
    section: 'Who may do what',
    name: 'audience',
    kind: 'list',
    default: [],
    reload: true,
    help: "the hub's names, for one of which a token of Mercure 1.0 has to be; left out, the hub's address"
  },
  {
    section: 'Who may do what',
    name: 'clockTolerance',
    kind: 'duration',
    default: 0,
    reload: true,
    help: 'how far clocks of issuers may be off, at most 5m'
  },
  {
    section: 'Who may do what',
    name: 'anonymous',
    kind: 'switch',
    default: false,
    reload: true,
    help: 'let those without a token subscribe to what is public'
  },
  {
    section: 'Who may do what',
    name: 'authorize',
    kind: 'text',
    default: '',
    reload: true,
    help: 'address of an application that is asked by POST about every stream and every publish, after the token'
  },
  {
    section: 'Who may do what',
    name: 'authorizeHeaders',
    kind: 'list',
    default: [],
    reload: true,
    help: "names of clients' headers that it is told, such as Cookie"
  },
  {
    section: 'Who may do what',
    name: 'authorizeTimeout',
    kind: 'duration',
    default: 2_000,
    reload: true,
    help: 'how long it may take to answer, at most 1m; without an answer, nothing is allowed'
  },
  {
    section: 'Mercure',
    name: 'subscriptions',
    kind: 'switch',
    default: false,
    reload: true,
    help: 'announce and list who is subscribed, to those who may know'
  },
  {
    section: 'Who may do what',
    name: 'corsOrigins',
    kind: 'list',
    default: [],
    reload: true,
    help: 'origins whose pages may read: https://example.com, https://*.example.com, null or *'
  },
  {
    section: 'Who may do what',
    name: 'publishOrigins',
    kind: 'list',
    default: [],
    reload: true,
    help: 'origins whose pages may publish with a cookie'
  },
  {
    section: 'Who may do what',
    name: 'publicUrls',
    kind: 'list',
    default: [],
    reload: true,
    help: 'the addresses that clients use, such as https://hub.example.com; a request for any other host is refused'
  },
  {
    section: 'Who may do what',
    name: 'cookieName',
    kind: 'text',
    default: '',
    reload: true,
    help: "name of the cookie that holds a token; left out, each dialect's own"
  },
  {
    section: 'Mercure',
    name: 'dialects',
    kind: 'list',
    default: ['1.0', '0.x'],
    reload: true,
    help: 'dialects of Mercure that are spoken: 1.0,0.x'
  }
]
