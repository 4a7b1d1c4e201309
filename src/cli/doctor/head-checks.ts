// Checks of headers and of the connection: resuming, CORS and HTTP/2.
import { connect } from 'node:tls'
import { ask, type Target } from '../client/request.ts'
import * as changes from './changes.ts'
import { type Finding, fault, ok, warning } from './finding.ts'

/** A hub that gets an id that it does not know answers 410 to `gap=close`. */
export async function resuming(target: Target, topic: string): Promise<Finding> {
  const check = 'Last-Event-ID'
  const id = `tidings-doctor-${topic.slice(-8)}`
  const path = `subscribe?topic=${topic}&gap=close`
  const isRead = async (path: string, headers: Record<string, string> = {}) =>
    (await ask(target, { method: 'HEAD', path, headers })).status === 410
  if (!(await isRead(path, { 'Last-Event-ID': id }))) {
    if (!(await isRead(`${path}&last_event_id=${id}`))) return warning(check, 'resuming could not be checked')
    const said = 'a proxy removes the request header: clients that reconnect miss updates'
    return fault(check, said, changes.requestHeader)
  }
  const { headers } = await ask(target, { method: 'HEAD', path: `subscribe?topic=${topic}` })
  if (headers['last-event-id'] === undefined) {
    return warning(
      check,
      'a proxy removes the response header: pages do not learn where to continue',
      changes.answerHeader
    )
  }
  return ok(check, 'a client that reconnects can resume')
}

/** Whether pages of an origin may read streams. */
export async function origins(target: Target, topic: string, origin: string): Promise<Finding> {
  const check = 'CORS'
  const asked = { method: 'HEAD', path: `subscribe?topic=${topic}`, headers: { Origin: origin } }
  const { headers } = await ask(target, asked)
  const allowed = headers['access-control-allow-origin']
  if (allowed === undefined) return fault(check, `pages of ${origin} may not read`, changes.cors)
  if (allowed.includes(','))
    return fault(
      check,
      `two servers set Access-Control-Allow-Origin, and browsers then refuse: ${allowed}`,
      changes.cors
    )
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
    return fault(
      check,
      `pages of ${origin} may read, but not with a token in a header: the preflight (OPTIONS) refuses it`,
      changes.cors
    )
  }
  const withCookies = headers['access-control-allow-credentials'] === 'true' ? 'with' : 'without'
  return ok(check, `pages of ${origin} may read, ${withCookies} cookies`)
}

const few = 'browsers open six connections to a host, so a seventh tab gets no stream'

/** Which HTTP a browser would use: it negotiates HTTP/2 in the TLS handshake [RFC 7301]. */
export async function protocol({ base, socket }: Target): Promise<Finding> {
  if (base.protocol === 'http:') return warning('HTTP/2', `without TLS browsers use HTTP/1.1: ${few}`, changes.http2)
  const chosen = await negotiate(base, socket)
  if (chosen === 'h2') return ok('HTTP/2', 'supported: one connection carries all streams of a browser')
  return warning('HTTP/2', `not supported: ${few}`, changes.http2)
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
