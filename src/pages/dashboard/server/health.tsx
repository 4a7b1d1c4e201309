// The state and the last error of the log, Redis, webhooks, JWK Sets and the authorizing application, on each node.
import type { HealthCheck, HealthList } from '../../../dashboard-api/server.ts'
import { secondsTime } from '../../shared/clock.ts'
import { sentence } from '../../shared/refusal.ts'
import { usePolled } from '../data/polled.ts'
import { apiUrl } from '../data/urls.ts'
import { duration } from '../ui/format.ts'
import { CheckIcon, DashIcon, WarnIcon } from '../ui/icons.tsx'
import { Failure, Missing } from '../ui/parts.tsx'

const refreshMs = 5_000
const names: Record<HealthCheck['name'], string> = {
  log: 'Log',
  redis: 'Redis',
  webhooks: 'Webhooks',
  jwks: 'JWK Sets',
  authorize: 'Authorizing callback'
}
const icons = { ok: CheckIcon, failing: WarnIcon, off: DashIcon }

export function Health() {
  const { value, error } = usePolled<HealthList>(apiUrl('health'), refreshMs)
  return (
    <section aria-labelledby="health-title">
      <h2 id="health-title">Health</h2>
      <Failure error={error} />
      <Missing nodes={value?.missing} />
      {value && <Checks checks={value.checks} at={value.at} />}
      {!value && !error && <p class="empty">Loading…</p>}
    </section>
  )
}

interface Group {
  readonly check: HealthCheck
  readonly nodes: readonly string[]
}

/** Nodes with the same result of a check share a row. */
function grouped(checks: readonly HealthCheck[]): Group[] {
  const groups = new Map<string, { check: HealthCheck; nodes: string[] }>()
  for (const check of checks) {
    const key = JSON.stringify([check.name, check.state, check.detail, check.lastError?.message])
    const group = groups.get(key)
    if (group) group.nodes.push(check.nodeName)
    else groups.set(key, { check, nodes: [check.nodeName] })
  }
  const order = Object.keys(names)
  return [...groups.values()].sort((one, other) => order.indexOf(one.check.name) - order.indexOf(other.check.name))
}

function Checks({ checks, at }: { readonly checks: readonly HealthCheck[]; readonly at: number }) {
  const nodeCount = new Set(checks.map(({ node }) => node)).size
  return (
    <div class="scroller" role="group" aria-labelledby="health-title" tabIndex={0}>
      <table class="checks">
        <thead>
          <tr>
            <th scope="col">Check</th>
            {nodeCount > 1 && <th scope="col">Nodes</th>}
            <th scope="col">State</th>
            <th scope="col">Since</th>
            <th scope="col">Detail</th>
            <th scope="col">Last error</th>
          </tr>
        </thead>
        <tbody>
          {grouped(checks).map(({ check, nodes }) => (
            <Row
              key={`${check.name} ${check.node} ${check.detail}`}
              check={check}
              at={at}
              nodes={nodeCount > 1 ? (nodes.length === nodeCount ? 'all' : nodes.join(', ')) : undefined}
            />
          ))}
        </tbody>
      </table>
    </div>
  )
}

interface RowProps {
  readonly check: HealthCheck
  readonly at: number
  readonly nodes: string | undefined
}

function Row({ check, at, nodes }: RowProps) {
  const { name, state, since, detail, lastError } = check
  const Icon = icons[state]
  return (
    <tr>
      <th scope="row">{names[name] ?? name}</th>
      {nodes !== undefined && <td>{nodes}</td>}
      <td>
        <span class="state" data-state={state}>
          <Icon />
          {state}
        </span>
      </td>
      <td>{since === null ? '–' : duration(at - since)}</td>
      <td class="text">{detail || '–'}</td>
      <td class="text">{lastError ? <LastError at={at} error={lastError} /> : <span class="soft">none</span>}</td>
    </tr>
  )
}

function LastError({ at, error }: { readonly at: number; readonly error: NonNullable<HealthCheck['lastError']> }) {
  return (
    <>
      {sentence(error.message)}{' '}
      <span class="soft">
        {duration(at - error.at)} ago, at {secondsTime(new Date(error.at))}
      </span>
    </>
  )
}
