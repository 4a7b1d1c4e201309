// The state of the connection to the server: in the header, and as a notice when it is lost.
import type { State } from '../../../client/index.ts'
import { secondsTime } from '../../shared/clock.ts'
import { sentence } from '../../shared/refusal.ts'
import { connect, feedState, samples } from '../data/feed.ts'
import { useStore } from '../data/store.ts'
import { CrossIcon, DotIcon, WaitIcon } from '../ui/icons.tsx'
import { Notice } from '../ui/parts.tsx'

type Shown = 'live' | 'connecting' | 'lost'

function shownOf(state: State): Shown {
  if (state.status === 'live') return 'live'
  return state.status === 'waiting' || state.status === 'closed' ? 'lost' : 'connecting'
}

const texts = { live: 'Live', connecting: 'Connecting…', lost: 'Not connected' }
const icons = { live: DotIcon, connecting: WaitIcon, lost: CrossIcon }

export function ConnectionState() {
  const shown = shownOf(useStore(feedState))
  const Icon = icons[shown]
  return (
    <p class="connection" role="status" data-state={shown}>
      <Icon />
      {texts[shown]}
    </p>
  )
}

export function ConnectionNotice() {
  const state = useStore(feedState)
  const last = useStore(samples).at(-1)
  if (shownOf(state) !== 'lost' || (state.status === 'waiting' && state.until === Number.POSITIVE_INFINITY)) return null
  const reason = state.status === 'waiting' ? state.reason : state.status === 'closed' ? state.error?.message : ''
  return (
    <Notice>
      The connection to the server is lost{reason ? `: ${sentence(reason)}` : '.'}{' '}
      {last ? `The values are those of ${secondsTime(new Date(last.at))}.` : ''} The page connects again automatically.{' '}
      <button type="button" class="link" onClick={connect}>
        Connect now
      </button>
    </Notice>
  )
}
