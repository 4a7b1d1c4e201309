// The table of the server's options: name, kind, default and what it is for. It reads none.
import type { Config } from './config-shape.ts'
import type { Kind, Value } from './config-value.ts'

/** The sections of the table, in the order in which people meet them. */
export const sections = [
  'Listening',
  'History',
  'Who may do what',
  'Mercure',
  'Streams',
  'Limits',
  'Operation'
] as const

export interface Option {
  readonly section: (typeof sections)[number]
  /** The key; `--some-name` and `TIDINGS_SOME_NAME` follow from `someName`. */
  readonly name: keyof Config
  readonly kind: Kind
  readonly default: Value
  readonly help: string
  /** Whether a reload (SIGHUP) takes it over; the others need a restart. */
  readonly reload?: boolean
}

export const options: readonly Option[] = [
  {
    section: 'Operation',
    name: 'config',
    kind: 'file',
    default: '',
    help: 'YAML or JSON file with any of these options by name; what flags and variables say goes before it'
  },
  { section: 'Listening', name: 'host', kind: 'text', default: '127.0.0.1', help: 'address to listen on' },
  {
    section: 'Listening',
    name: 'port',
    kind: 'port',
    default: 5000,
    help: 'port to listen on, 0 for any that is free'
  },
  {
    section: 'Listening',
    name: 'listen',
    kind: 'list',
    default: [],
    help: 'several addresses instead of --host and --port: 127.0.0.1:5000, [::1]:5000, unix:/run/tidings.sock'
  },
  {
    section: 'Listening',
    name: 'open',
    kind: 'switch',
    default: false,
    help: 'let anyone who can reach the server publish and subscribe, also beyond this machine'
  },
  {
    section: 'Listening',
    name: 'tlsCert',
    kind: 'file',
    default: '',
    reload: true,
    help: 'certificate chain as PEM; with it and --tls-key the server speaks TLS, with HTTP/2 where the client does'
  },
  {
    section: 'Listening',
    name: 'tlsKey',
    kind: 'file',
    default: '',
    reload: true,
    help: 'the private key of the certificate, as PEM'
  },
  {
    section: 'Listening',
    name: 'h2c',
    kind: 'switch',
    default: false,
    help: 'speak HTTP/2 without TLS too, as proxies do'
  },
  {
    section: 'Listening',
    name: 'trustedProxies',
    kind: 'list',
    default: [],
    help: 'addresses and networks whose X-Forwarded-For is believed, such as 127.0.0.1,10.0.0.0/8'
  },
  {
    section: 'History',
    name: 'data',
    kind: 'folder',
    default: '',
    help: 'folder to keep history in; left out, it is kept in memory'
  },
  {
    section: 'History',
    name: 'durability',
    kind: 'flush|os',
    default: 'flush',
    help: 'a publish is answered when it is on disk, or sooner (os), but then all history goes with a crash or a kill'
  },
  {
    section: 'History',
    name: 'retention',
    kind: 'rules',
    default: [],
    help: 'what is kept for how long, as JSON: [{"match":"prices/{symbol}","last":1},{"match":"*","age":"7d","bytes":"1GiB"}]'
  },
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
  },
  {
    section: 'Streams',
    name: 'heartbeat',
    kind: 'duration',
    default: 15_000,
    help: 'after how long a quiet stream gets a comment, 0 for never'
  },
  {
    section: 'Streams',
    name: 'slowTimeout',
    kind: 'duration',
    default: 30_000,
    help: 'how long a client may leave a full connection unread'
  },
  {
    section: 'Streams',
    name: 'maxAge',
    kind: 'duration',
    default: 0,
    help: 'how long a stream lasts before its client has to come again, which it does by itself; 0 for as long as it likes'
  },
  {
    section: 'Streams',
    name: 'drainTimeout',
    kind: 'duration',
    default: 10_000,
    help: 'over how long streams are ended when the server stops, so that clients do not all come back at once'
  },
  {
    section: 'Limits',
    name: 'maxBody',
    kind: 'size',
    default: 2 ** 20,
    reload: true,
    help: 'bytes that a body may have'
  },
  {
    section: 'Limits',
    name: 'maxConnections',
    kind: 'count',
    default: 0,
    reload: true,
    help: 'streams at a time, 0 for no bound'
  },
  {
    section: 'Limits',
    name: 'maxConnectionsPerAddress',
    kind: 'count',
    default: 0,
    reload: true,
    help: 'streams at a time from one address'
  },
  {
    section: 'Limits',
    name: 'maxConnectionsPerSubject',
    kind: 'count',
    default: 0,
    reload: true,
    help: "streams at a time for one token's subject (sub)"
  },
  {
    section: 'Limits',
    name: 'publishRate',
    kind: 'count',
    default: 0,
    reload: true,
    help: 'requests to publish a second from one token, or else one address'
  },
  {
    section: 'Limits',
    name: 'connectRate',
    kind: 'count',
    default: 0,
    reload: true,
    help: 'new streams a second in all, so that a storm of reconnects is paced'
  },
  {
    section: 'Limits',
    name: 'maxMemory',
    kind: 'size',
    default: 0,
    reload: true,
    help: 'memory of the process above which new streams are refused, such as 1GiB'
  },
  {
    section: 'Operation',
    name: 'opsListen',
    kind: 'text',
    default: '',
    help: 'address of their own for /metrics, /healthz and /readyz, such as 127.0.0.1:9000; left out, they are beside the rest'
  },
  {
    section: 'Operation',
    name: 'logLevel',
    kind: 'debug|info|warn|error|silent',
    default: 'info',
    reload: true,
    help: 'what is worth a line'
  },
  {
    section: 'Operation',
    name: 'logFormat',
    kind: 'auto|json|pretty',
    default: 'auto',
    help: 'lines for machines or for people; auto is pretty on a terminal'
  }
]
