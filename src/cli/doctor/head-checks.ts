// What may happen to the heads of requests and answers, and to the connection: resuming, other origins, HTTP/2. It opens no
// stream.
import { connect } from 'node:tls'
import { ask, type Target } from '../client/target.ts'
import * as changes from './changes.ts'
import { type Finding, fault, ok, warning } from './finding.ts'

/** A hub that hears where to go on says where it does. */
export async function resuming(target: Target, topic: string): Promise<Finding> {
  const check = 'Last-Event-ID'
  const id = `tidings-doctor-${topic.slice(-8)}`
  const asked = { method: 'HEAD', path: `subscribe?topic=${topic}`, headers: { 'Last-Event-ID': id } }
  if (names(await ask(target, asked))) return ok(check, 'a client that comes again is heard, and told where it goes on')
  const inQuery = { method: 'HEAD', path: `subscribe?topic=${topic}&last_event_id=${id}` }
  if (names(await ask(target, inQuery))) {
    const said = 'the header is removed on its way to the hub: clients that come again miss what came meanwhile'
    return fault(check, said, changes.requestHeader)
  }
  return warning(
    check,
    'the header is removed from the answer: whether clients resume is not seen',
    changes.answerHeader
  )
}

function names({ headers }: { readonly headers: Readonly<Record<string, unknown>> }): boolean {
  return headers['last-event-id'] !== undefined || headers['mercure-last-event-id'] !== undefined
}

/** Whether pages of an origin may read. */
export async function origins(target: Target, topic: string, origin: string): Promise<Finding> {
  const check = 'CORS'
  const asked = { method: 'HEAD', path: `subscribe?topic=${topic}`, headers: { Origin: origin } }
  const { headers } = await ask(target, asked)
  const allowed = headers['access-control-allow-origin']
  if (allowed === undefined) return fault(check, `pages of ${origin} may not read`, changes.cors)
  if (allowed.includes(','))
    return fault(check, `two say who may read, and browsers then believe none: ${allowed}`, changes.cors)
  if (allowed !== '*' && allowed !== origin)
    return fault(check, `pages of ${allowed} may read, not of ${origin}`, changes.cors)
  const preflight = await ask(target, {
    method: 'OPTIONS',
    path: 'subscribe',
    headers: {
      Origin: origin,
      'Access-Control-Request-Method': 'GET',
      'Access-Control-Request-Headers': 'authorization'
    }
  })
  if (!/authorization/i.test(preflight.headers['access-control-allow-headers'] ?? '')) {
    return fault(check, `pages of ${origin} may read, but not with a token in a header (OPTIONS)`, changes.cors)
  }
  const withCookies = headers['access-control-allow-credentials'] === 'true' ? 'with' : 'without'
  return ok(check, `pages of ${origin} may read, ${withCookies} cookies`)
}

const few = 'browsers open six connections to a host, so that a seventh tab gets no stream'

/** Which HTTP a browser would speak: HTTP/2 is only chosen where TLS begins [RFC 7301]. */
export async function protocol({ base, socket }: Target): Promise<Finding> {
  if (base.protocol === 'http:') return warning('HTTP/2', `without TLS browsers speak HTTP/1.1: ${few}`, changes.http2)
  const chosen = await negotiate(base, socket)
  if (chosen === 'h2') return ok('HTTP/2', 'it is spoken: one connection carries all streams of a browser')
  return warning('HTTP/2', `it is not spoken: ${few}`, changes.http2)
}

function negotiate({ hostname, port }: URL, socketPath?: string): Promise<string | false | null> {
  const host = hostname.replace(/^\[|\]$/g, '')
  return new Promise((resolve) => {
    const at = socketPath === undefined ? { host, port: Number(port || 443) } : { path: socketPath }
    const name = /^[\d.]+$|:/.test(host) ? {} : { servername: host }
    const socket = connect({ ...at, ...name, ALPNProtocols: ['h2', 'http/1.1'] })
    const end = (protocol: string | false | null) => {
      socket.destroy()
      resolve(protocol)
    }
    socket.on('secureConnect', () => end(socket.alpnProtocol)).on('error', () => end(null))
    socket.setTimeout(10_000, () => end(null))
  })
}
