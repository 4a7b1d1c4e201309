// What may happen to a stream on its way: held back, compressed, relabelled, cut. It publishes nothing.
import type { Target } from '../client/target.ts'
import * as changes from './changes.ts'
import { type Finding, fault, ok, time, warning } from './finding.ts'
import { Probe } from './probe.ts'

/** The hub sends the first byte with the head: what comes so much later was held back, in milliseconds. */
const late = 1_500
const timeoutMs = 10_000
/** The longest time without a heartbeat, as servers are by default, in milliseconds. */
const heartbeat = 16_000

const accept = { Accept: 'text/event-stream' }

/** How a stream begins, asked as browsers ask. */
export async function beginning(target: Target, topic: string, roundTrip: number): Promise<Finding[]> {
  const headers = { ...accept, 'Accept-Encoding': 'gzip' }
  const probe = new Probe(target, { path: `subscribe?topic=${topic}`, headers })
  await probe.until(({ first }) => first !== undefined, timeoutMs)
  probe.close()
  if (probe.head === undefined) {
    return [fault('first byte', `nothing of a stream came within ${time(timeoutMs)}`, changes.buffering)]
  }
  if (probe.status !== 200) return [fault('stream', `no stream was given (${probe.status}): ${probe.text.trim()}`)]
  const isHeld = probe.first === undefined || probe.first - roundTrip > late
  return [firstByte(probe, isHeld), accelerated(probe, isHeld), compressed(probe), labelled(probe), cached(probe)]
}

function firstByte({ first }: Probe, isHeld: boolean): Finding {
  if (!isHeld) return ok('first byte', `the first byte of a stream came after ${time(first ?? 0)}`)
  const when = first === undefined ? `did not come within ${time(timeoutMs)}` : `came only after ${time(first)}`
  return fault('first byte', `the first byte of a stream ${when}: something buffers it`, changes.buffering)
}

/** nginx takes this header away where it knows it, whether it obeys or not. */
function accelerated({ headers }: Probe, isHeld: boolean): Finding {
  const check = 'X-Accel-Buffering'
  if (headers['x-accel-buffering'] !== undefined) return ok(check, 'it comes through: no nginx is the last on the way')
  if (!isHeld) return ok(check, 'a proxy has taken it, and obeys')
  return fault(check, 'a proxy has taken it, and does not obey', changes.buffering)
}

function compressed({ headers }: Probe): Finding {
  const encoding = headers['content-encoding'] ?? 'identity'
  if (encoding === 'identity') return ok('compression', 'the stream is not compressed on its way')
  return fault('compression', `the stream is compressed (${encoding}), which holds events back`, changes.compression)
}

function labelled({ headers }: Probe): Finding {
  const type = headers['content-type'] ?? 'nothing'
  if (/^text\/event-stream\b/.test(type)) return ok('content type', type)
  return fault('content type', `a stream is called ${type}, and browsers refuse it`, changes.contentType)
}

function cached({ headers }: Probe): Finding {
  const { 'cache-control': control = 'nothing', age } = headers
  if (age !== undefined) return fault('caching', `a cache answered with what was ${age} s old`, changes.caching)
  if (/no-store|no-cache/.test(control)) return ok('caching', `Cache-Control: ${control}`)
  return warning('caching', `Cache-Control says ${control}, so that a cache may keep a stream`, changes.caching)
}

/** How long a quiet stream lives, up to so many milliseconds. */
export async function lasting(target: Target, topic: string, idle: number): Promise<Finding> {
  const probe = new Probe(target, { path: `subscribe?topic=${topic}`, headers: accept })
  await probe.until(() => false, idle)
  const { ended } = probe
  probe.close()
  if (ended !== undefined) {
    return fault(
      'lasting',
      `a quiet stream was cut after ${time(ended)}; clients come again, each time`,
      changes.idling
    )
  }
  const beats = (probe.text.match(/^:/gm) ?? []).length - 1
  if (beats < 0) return fault('lasting', `nothing of a quiet stream came within ${time(idle)}`, changes.buffering)
  if (beats > 0) return ok('lasting', `a quiet stream lived for ${time(idle)}, with ${beats} heartbeats`)
  if (idle < heartbeat) return ok('lasting', `a quiet stream lived for ${time(idle)}, too short a time for a heartbeat`)
  return warning('lasting', `a quiet stream lived for ${time(idle)} without a heartbeat`, changes.buffering)
}
