// The option table, the only place where a server option is defined. The type `Config`, flags, variables, file keys,
// reload, `--help` and docs/configuration.md derive from it.
import { accessTable } from './access-options.ts'
import type { Kind, OptionTable, Value, ValueOf } from './value.ts'

/** Options by section and name. An empty text, an empty list, and 0 for a limit mean "not set". */
const table = {
  Listening: {
    host: { kind: 'text', default: '127.0.0.1', help: 'address to listen on' },
    port: { kind: 'port', default: 5000, help: 'port to listen on; 0 for any free port' },
    listen: {
      kind: 'list',
      default: [],
      help: 'several addresses instead of host and port: 127.0.0.1:5000, [::1]:5000, unix:/run/tidings.sock'
    },
    open: {
      kind: 'switch',
      default: false,
      reload: true,
      help: 'let anyone who can reach the server publish and subscribe, even from other machines'
    },
    tlsCert: {
      kind: 'file',
      default: '',
      reload: true,
      help: 'PEM certificate chain; with a certificate and its key, the server speaks TLS and HTTP/2'
    },
    tlsKey: { kind: 'file', default: '', reload: true, help: 'PEM private key of the certificate' },
    h2c: { kind: 'switch', default: false, help: 'also accept HTTP/2 without TLS, as some proxies send it' },
    trustedProxies: {
      kind: 'list',
      default: [],
      help: 'addresses and networks of proxies whose X-Forwarded-For is trusted, such as 127.0.0.1,10.0.0.0/8'
    }
  },
  History: {
    store: {
      kind: 'store',
      default: 'memory',
      help:
        'where history lives: memory, a folder such as ./data, or Redis or Valkey, which several servers can share: ' +
        'redis://host:6379, rediss://user:password@host, redis+sentinel://host:26379/mymaster, redis+cluster://host:6379'
    },
    data: { kind: 'folder', default: '', help: 'folder for history; short for store with a folder' },
    durability: {
      kind: 'flush|os',
      default: 'flush',
      help: 'when a publish is confirmed: once on disk (flush), or sooner (os), where a crash loses all history'
    },
    storePrefix: { kind: 'text', default: 'tidings', help: 'prefix of all Redis keys, as in {tidings:log}' },
    storeName: {
      kind: 'text',
      default: 'log',
      help: 'name of the history in Redis; several hubs can share one Redis'
    },
    retention: {
      kind: 'rules',
      default: [],
      reload: true,
      help: 'how much history is kept, as JSON: [{"match":"prices/{symbol}","last":1},{"match":"*","age":"7d"}]'
    },
    idempotent: {
      kind: 'duration',
      default: 0,
      help: 'how long a repeated Idempotency-Key or id is recognized, and the update not stored again; 0 for never'
    }
  },
  ...accessTable,
  Streams: {
    heartbeat: {
      kind: 'duration',
      default: 15_000,
      help: 'how long a stream is idle before a comment is sent on it; 0 for never'
    },
    slowTimeout: {
      kind: 'duration',
      default: 30_000,
      help: 'how long a client may leave a full connection unread before it is disconnected'
    },
    maxAge: {
      kind: 'duration',
      default: 0,
      help: 'maximum age of a stream; then the server closes it, and the client reconnects automatically; 0 for no limit'
    },
    presenceTimeout: {
      kind: 'duration',
      default: 30_000,
      help: "how soon a crashed node's subscriptions are removed"
    },
    drainTimeout: {
      kind: 'duration',
      default: 10_000,
      reload: true,
      help: 'over how long streams are closed when the server stops, so that clients do not all reconnect at once'
    }
  },
  Limits: {
    maxBody: { kind: 'size', default: 2 ** 20, reload: true, help: 'maximum size of a request body' },
    maxConnections: { kind: 'count', default: 0, reload: true, help: 'maximum number of streams; 0 for no limit' },
    maxConnectionsPerAddress: {
      kind: 'count',
      default: 0,
      reload: true,
      help: 'maximum number of streams from one client address; 0 for no limit'
    },
    maxConnectionsPerSubject: {
      kind: 'count',
      default: 0,
      reload: true,
      help: 'maximum number of streams for one token subject (`sub`); 0 for no limit'
    },
    publishRate: {
      kind: 'count',
      default: 0,
      reload: true,
      help: 'publish requests per second for one token subject, or else one client address; 0 for no limit'
    },
    connectRate: {
      kind: 'count',
      default: 0,
      reload: true,
      help: 'new streams per second in total, which paces mass reconnects; 0 for no limit'
    },
    maxMemory: {
      kind: 'size',
      default: 0,
      reload: true,
      help: 'process memory above which new streams are refused, such as 1GiB; 0 for no limit'
    }
  },
  Operation: {
    workers: {
      kind: 'workers',
      default: 1,
      help: 'worker processes that share the port and the history, to use several cores; auto for one per core'
    },
    config: {
      kind: 'file',
      default: '',
      help: 'YAML or JSON file that sets any of these options by name; flags and variables win over it'
    },
    opsListen: {
      kind: 'text',
      default: '',
      help: 'separate address for /metrics, /healthz and /readyz, such as 127.0.0.1:9000; default: the main address'
    },
    dashboard: {
      kind: 'on|read-only|off',
      default: 'on',
      reload: true,
      help: 'dashboard for operators at /dashboard: on, read-only (no closing and revoking), or off'
    },
    webhooks: {
      kind: 'list',
      default: [],
      help: 'URLs that receive a POST when subscribers come and go, such as https://app.example.com/tidings'
    },
    webhookEvents: {
      kind: 'list of subscribed|unsubscribed|topic-occupied|topic-vacated',
      default: [],
      help: 'events that webhooks receive: subscribed, unsubscribed, topic-occupied, topic-vacated; default: all'
    },
    webhookKey: {
      kind: 'secret',
      default: '',
      reload: true,
      help: 'secret that signs webhook and authorize requests; prefer a variable over a flag'
    },
    logLevel: { kind: 'debug|info|warn|error|silent', default: 'info', reload: true, help: 'minimum log level' },
    logFormat: {
      kind: 'auto|json|pretty',
      default: 'auto',
      help: 'format of log lines; auto is pretty on a terminal and JSON elsewhere'
    }
  }
} as const satisfies OptionTable

type Table = typeof table
type Section = keyof Table
/** The rows of all sections; a union, since each section has its own names. */
type Rows = Table[Section]
type NamesIn<SomeRows> = SomeRows extends unknown ? keyof SomeRows : never

/** The camelCase name of an option. */
export type OptionName = NamesIn<Rows>
type KindIn<SomeRows, Name extends OptionName> =
  SomeRows extends Record<Name, { readonly kind: infer K extends Kind }> ? K : never

/** The value of every option. Durations are in milliseconds, sizes in bytes. */
export type Config = { readonly [Name in OptionName]: ValueOf<KindIn<Rows, Name>> }

/** One row of the table. */
export interface Option {
  readonly section: Section
  readonly name: OptionName
  readonly kind: Kind
  readonly default: Value
  /** Whether a reload (SIGHUP) applies it. The others need a restart. */
  readonly reload: boolean
  readonly help: string
}

export const sections = Object.keys(table) as Section[]

export const options: readonly Option[] = sections.flatMap((section) =>
  Object.entries<OptionTable[string][string]>(table[section]).map(([name, row]) => ({
    section,
    name: name as OptionName,
    reload: false,
    ...row
  }))
)

/** Former names of options, which are refused with the new name. */
export const renamed: Readonly<Record<string, OptionName>> = {
  log: 'store',
  logPrefix: 'storePrefix',
  logName: 'storeName'
}

/** `someName` becomes `--some-name`. */
export function flagFor(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

/** `someName` becomes `TIDINGS_SOME_NAME`. */
export function variableFor(name: string): string {
  return `TIDINGS_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`
}
