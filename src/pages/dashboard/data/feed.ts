// The samples and the closed streams that the server publishes to the dashboard, by a subscription of tidings/client.
import { RefusedError, type State, type Subscription, subscribe } from '../../../client/index.ts'
import type { Overview } from '../../../dashboard-api/overview.ts'
import type { ClosedRow } from '../../../dashboard-api/streams.ts'
import { Store } from './store.ts'
import { grant, refuse, token } from './token.ts'
import { updatesUrl } from './urls.ts'

/** Five minutes of samples. */
export const keptSamples = 300
const keptClosed = 500
/** The subscription does not try again after a refusal such as 404, which a proxy may send for a while. */
const retryMs = 5_000

/** The oldest sample first. */
export const samples = new Store<readonly Overview[]>([])
/** The newest first. */
export const closedStreams = new Store<readonly ClosedRow[]>([])
export const feedState = new Store<State>({ status: 'connecting' })

let subscription: Subscription<unknown> | undefined
let retryTimer: ReturnType<typeof setTimeout> | undefined

/** Connects, or connects again at once. It continues after the last id, as far as the server still knows it. */
export function connect(): void {
  clearTimeout(retryTimer)
  const from = subscription?.lastEventId
  subscription?.close()
  const opened = subscribe<unknown>(updatesUrl, {
    topics: ['overview', 'closed'],
    pauseWhenHidden: true,
    ...(token.value && { token: token.value }),
    // The server keeps as many samples, and as many closed streams.
    from: from || 'earliest'
  })
  subscription = opened
  opened.on('state', (state) => opened === subscription && changed(state))
  opened.on('update', ({ type, data }) => {
    if (type === 'sample') addSample(data as Overview)
    else if (type === 'closed') addClosed([data as ClosedRow])
  })
}

function changed(state: State): void {
  feedState.set(state)
  if (state.status === 'live' || state.status === 'catching-up') grant()
  if (state.status !== 'closed' || state.reason === 'client') return
  const { error } = state
  if (error instanceof RefusedError && (error.status === 401 || error.status === 403))
    refuse(error.status, error.message)
  else retryTimer = setTimeout(connect, retryMs)
}

function addSample(sample: Overview): void {
  const last = samples.value.at(-1)
  if (last && last.at >= sample.at) return
  samples.set([...samples.value, sample].slice(-keptSamples))
}

/** Adds streams that are not in the list. */
export function addClosed(rows: readonly ClosedRow[]): void {
  const known = new Set(closedStreams.value.map((row) => row.id))
  const added = rows.filter((row) => !known.has(row.id))
  if (added.length === 0) return
  const all = [...closedStreams.value, ...added].sort((one, other) => other.closed.at - one.closed.at)
  closedStreams.set(all.slice(0, keptClosed))
}

token.follow(() => {
  samples.set([])
  closedStreams.set([])
  subscription?.close()
  subscription = undefined
  connect()
})
