// Checks that a stream arrives as it was sent: not buffered, compressed, cached, relabelled or cut.
import type { Target } from '../client/request.ts'
import * as changes from './changes.ts'
import { type Finding, fault, ok, time, warning } from './finding.ts'
import { Probe } from './probe.ts'

/** The hub sends the first byte with the head. If it arrives so much later, it was buffered. In milliseconds. */
const lateMs = 1_500
const timeoutMs = 10_000
/** A little more than the default heartbeat, in milliseconds. */
const heartbeatMs = 16_000

const accept = { Accept: 'text/event-stream' }

/** The start of a stream, with the request of a browser. */
export async function beginning(target: Target, topic: string, roundTrip: number): Promise<Finding[]> {
  const headers = { ...accept, 'Accept-Encoding': 'gzip' }
  const probe = new Probe(target, { path: `subscribe?topic=${topic}`, headers })
  await probe.until(({ first }) => first !== undefined, timeoutMs)
  probe.close()
  if (probe.head === undefined) {
    return [fault('first byte', `no part of a stream arrived within ${time(timeoutMs)}`, changes.buffering)]
  }
  if (probe.status !== 200) return [fault('stream', `no stream (${probe.status}): ${probe.text.trim()}`)]
  const isHeld = probe.first === undefined || probe.first - roundTrip > lateMs
  return [firstByte(probe, isHeld), accelerated(probe, isHeld), compressed(probe), labelled(probe), cached(probe)]
}

function firstByte({ first }: Probe, isHeld: boolean): Finding {
  if (!isHeld) return ok('first byte', `the first byte of a stream arrived after ${time(first ?? 0)}`)
  const when = first === undefined ? `did not arrive within ${time(timeoutMs)}` : `arrived only after ${time(first)}`
  return fault('first byte', `the first byte of a stream ${when}: a proxy buffers it`, changes.buffering)
}

/** nginx removes this header, whether it obeys it or not. */
function accelerated({ headers }: Probe, isHeld: boolean): Finding {
  const check = 'X-Accel-Buffering'
  if (headers['x-accel-buffering'] !== undefined) return ok(check, 'the header arrives: the last proxy is no nginx')
  if (!isHeld) return ok(check, 'a proxy removed the header, and obeys it')
  return fault(check, 'a proxy removed the header, but does not obey it', changes.buffering)
}

function compressed({ headers }: Probe): Finding {
  const encoding = headers['content-encoding'] ?? 'identity'
  if (encoding === 'identity') return ok('compression', 'the stream is not compressed')
  return fault('compression', `the stream is compressed (${encoding}), which delays events`, changes.compression)
}

function labelled({ headers }: Probe): Finding {
  const type = headers['content-type'] ?? 'nothing'
  if (/^text\/event-stream\b/.test(type)) return ok('content type', type)
  return fault('content type', `a stream has the type ${type}, and browsers refuse it`, changes.contentType)
}

function cached({ headers }: Probe): Finding {
  const { 'cache-control': control = 'nothing', age } = headers
  if (age !== undefined)
    return fault('caching', `a cache answered with a response that was ${age} s old`, changes.caching)
  if (/no-store|no-cache/.test(control)) return ok('caching', `Cache-Control: ${control}`)
  return warning('caching', `Cache-Control is ${control}, so a cache may store a stream`, changes.caching)
}

/** How long an idle stream stays open, up to `idle` milliseconds. */
export async function lasting(target: Target, topic: string, idle: number): Promise<Finding> {
  const probe = new Probe(target, { path: `subscribe?topic=${topic}`, headers: accept })
  await probe.until(() => false, idle)
  const { ended } = probe
  probe.close()
  if (ended !== undefined) {
    return fault(
      'lasting',
      `an idle stream was cut after ${time(ended)}; clients have to reconnect each time`,
      changes.idling
    )
  }
  const beats = (probe.text.match(/^:/gm) ?? []).length - 1
  if (beats < 0) return fault('lasting', `no part of an idle stream arrived within ${time(idle)}`, changes.buffering)
  if (beats > 0) return ok('lasting', `an idle stream stayed open for ${time(idle)}, with ${beats} heartbeats`)
  if (idle < heartbeatMs)
    return ok('lasting', `an idle stream stayed open for ${time(idle)}, which is too short for a heartbeat`)
  return warning('lasting', `an idle stream stayed open for ${time(idle)}, without a heartbeat`, changes.buffering)
}
