// The table of the server's options: from it come flags, variables, the keys of a file, `--help` and the documents. It reads none.
import type { Option } from './option.ts'
import { accessOptions } from './options-access.ts'
import { runningOptions } from './options-running.ts'

const listeningOptions: readonly Option[] = [
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
    reload: true,
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
    name: 'log',
    kind: 'secret',
    default: '',
    help: 'where Redis or Valkey is, whose history several servers share: redis://host:6379, rediss://user:password@host, redis+sentinel://host:26379/mymaster, redis+cluster://host:6379'
  },
  {
    section: 'History',
    name: 'logPrefix',
    kind: 'text',
    default: 'tidings',
    help: 'what every key in Redis begins with, in braces and with the name of the history, as in {tidings:log}'
  },
  {
    section: 'History',
    name: 'logName',
    kind: 'text',
    default: 'log',
    help: 'name of that history, so that several hubs can share one Redis'
  },
  {
    section: 'History',
    name: 'retention',
    kind: 'rules',
    default: [],
    reload: true,
    help: 'what is kept for how long, as JSON: [{"match":"prices/{symbol}","last":1},{"match":"*","age":"7d","bytes":"1GiB"}]'
  },
  {
    section: 'History',
    name: 'idempotent',
    kind: 'duration',
    default: 0,
    help: 'for how long an update that is published again is known by its Idempotency-Key or else its id, and not kept twice; 0 for never'
  }
]

export const options: readonly Option[] = [...listeningOptions, ...accessOptions, ...runningOptions]
