// The part of the table for streams, limits and operation. It reads none of it.
import type { Option } from './option.ts'

export const runningOptions: readonly Option[] = [
  {
    section: 'Operation',
    name: 'config',
    kind: 'file',
    default: '',
    help: 'YAML or JSON file with any of these options by name; what flags and variables say goes before it'
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
    name: 'presenceTimeout',
    kind: 'duration',
    default: 30_000,
    help: 'within how long the announced subscriptions of a server of the fleet have ended that died without a word'
  },
  {
    section: 'Streams',
    name: 'drainTimeout',
    kind: 'duration',
    default: 10_000,
    reload: true,
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
    name: 'webhooks',
    kind: 'list',
    default: [],
    help: 'addresses that are told by POST who comes and goes, such as https://app.example.com/tidings'
  },
  {
    section: 'Operation',
    name: 'webhookEvents',
    kind: 'list',
    default: [],
    help: 'what they are told, of subscribed,unsubscribed,topic-occupied,topic-vacated; left out, all of it'
  },
  {
    section: 'Operation',
    name: 'webhookKey',
    kind: 'secret',
    default: '',
    reload: true,
    help: 'secret that webhooks, and questions to the application that decides, are signed with; best given as a variable'
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
