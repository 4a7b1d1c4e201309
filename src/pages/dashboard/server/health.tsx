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

function Checks({ checks, at }: { readonly checks: readonly HealthCheck[]; readonly at: number }) {
  const hasNodes = new Set(checks.map(({ node }) => node)).size > 1
  return (
    <div class="scroller" role="group" aria-labelledby="health-title" tabIndex={0}>
      <table class="checks">
        <thead>
          <tr>
            <th scope="col">Check</th>
            {hasNodes && <th scope="col">Node</th>}
            <th scope="col">State</th>
            <th scope="col">Since</th>
            <th scope="col">Detail</th>
            <th scope="col">Last error</th>
          </tr>
        </thead>
        <tbody>
          {checks.map((check, index) => {
            const { name, nodeName, state, since, detail, lastError } = check
            const Icon = icons[state]
            return (
              // biome-ignore lint/suspicious/noArrayIndexKey: a node may have several checks of one name, always in the same order
              <tr key={index}>
                <th scope="row">{names[name] ?? name}</th>
                {hasNodes && <td>{nodeName}</td>}
                <td>
                  <span class="state" data-state={state}>
                    <Icon />
                    {state}
                  </span>
                </td>
                <td>{since === null ? '–' : duration(at - since)}</td>
                <td class="text">{detail || '–'}</td>
                <td class="text">
                  {lastError ? <LastError at={at} error={lastError} /> : <span class="soft">none</span>}
                </td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
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
