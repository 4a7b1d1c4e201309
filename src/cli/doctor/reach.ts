// Checks that there is a hub at a URL, and that the query string reaches it.
import { isUntrusted, messageIn, reasonOf } from '../client/failure.ts'
import type { Target } from '../client/request.ts'
import * as changes from './changes.ts'
import { type Finding, fault, ok, time, warning } from './finding.ts'
import { Probe } from './probe.ts'

const timeoutMs = 10_000

export interface Reached {
  readonly findings: readonly Finding[]
  /** Whether the other checks can run. */
  readonly isOpen: boolean
  /** The time of a short answer, in milliseconds. */
  readonly roundTrip: number
}

/** Sends a parameter that no hub knows. The refusal shows that it is a hub, and that the query string has arrived. */
export async function reach(target: Target): Promise<Reached> {
  const probe = new Probe(target, { path: 'subscribe?tidings-doctor=1', headers: { Accept: 'application/json' } })
  await probe.until(({ head }) => head !== undefined, timeoutMs)
  if (!probe.isStream) await probe.until(() => false, probe.head === undefined ? 0 : timeoutMs)
  probe.close()
  const roundTrip = probe.head ?? 0
  const findings = probe.head === undefined ? [unreached(probe, target)] : answered(probe, target)
  const isOpen = findings.every(({ level }) => level !== 'fault') || probe.isStream
  return { findings, isOpen: isOpen && codeOf(probe) !== 'token_missing', roundTrip }
}

function unreached({ error }: Probe, { base }: Target): Finding {
  if (!error) return fault('reachable', `${base.href} does not answer within ${time(timeoutMs)}`, changes.upstream)
  const reason = reasonOf(error)
  if (isUntrusted(error)) return fault('TLS', reason, changes.certificate)
  if (/SSL|TLS|EPROTO/.test(error.code ?? '')) {
    return fault('TLS', `the server does not support TLS, or no common version: ${reason}`, changes.certificate)
  }
  return fault('reachable', `${base.href} cannot be reached: ${reason}`)
}

function answered(probe: Probe, target: Target): Finding[] {
  const { status, headers } = probe
  const reachable = ok('reachable', `${target.base.href} answers after ${time(probe.head ?? 0)}`)
  if (headers.location !== undefined && status < 400) {
    return [fault('path', `it redirects to ${headers.location}; use that URL, without subscribe`)]
  }
  if ([502, 503, 504].includes(status) && codeOf(probe) === undefined) {
    return [fault('reachable', `a proxy answers, but does not reach the hub (${status})`, changes.upstream)]
  }
  return [reachable, ...(probe.isStream ? withoutQuery() : judged(probe))]
}

function withoutQuery(): Finding[] {
  return [
    ok('tidings', 'a hub answers'),
    fault('query', 'a proxy removes the query string: clients cannot choose a topic', changes.query)
  ]
}

function judged(probe: Probe): Finding[] {
  const code = codeOf(probe)
  const said = `${messageIn(probe.text) ?? ''} (${probe.status})`
  switch (code) {
    case 'parameter_unknown':
      return [ok('tidings', 'a hub answers'), ok('query', 'the query string reaches the hub')]
    case 'token_missing':
      return [
        ok('tidings', 'a hub answers'),
        warning('token', 'streams could not be checked, because they need a token; give --token')
      ]
    case 'not_found':
      return [fault('path', `a hub answers, but not at this path: ${said}`, changes.path)]
    case 'misdirected':
    case 'host_refused':
      return [fault('host', `the hub does not accept this host name: ${said}`, changes.host)]
    case undefined:
      return [fault('tidings', `something answers, but it is not tidings (${probe.status})`, changes.path)]
    default:
      return [fault('tidings', `the hub refuses: ${said}`)]
  }
}

function codeOf({ text }: Probe): string | undefined {
  try {
    return (JSON.parse(text) as { error?: { code?: string } }).error?.code
  } catch {
    return undefined
  }
}
