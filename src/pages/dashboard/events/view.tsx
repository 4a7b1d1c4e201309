// The events: a tail of the hub's updates, and publishing.
import { useEffect, useMemo, useState } from 'preact/hooks'
import { go, route } from '../data/route.ts'
import { useActionsAllowed } from '../data/server-config.ts'
import { useStore } from '../data/store.ts'
import { token } from '../data/token.ts'
import { Notice } from '../ui/parts.tsx'
import { elementOf } from './event.tsx'
import { Publish } from './publish.tsx'
import { linkOf, startOf } from './query.ts'
import { keptEvents, problemOf, Tail, type TailEvent, type TailStart } from './tail.ts'
import { Controls, Follow } from './tools.tsx'

export function EventsView() {
  const shown = useStore(route)
  const used = useStore(token)
  const tail = useMemo(() => new Tail(), [])
  const [round, setRound] = useState(0)
  const start = useMemo(() => startOf(shown), [shown])
  const address = linkOf(start)
  const isAllowed = useActionsAllowed()
  // biome-ignore lint/correctness/useExhaustiveDependencies: the address stands for the start; Follow connects again
  useEffect(() => {
    tail.start(start)
    return () => tail.stop()
  }, [tail, address, used, round])

  function follow(next: TailStart): void {
    go(linkOf(next))
    setRound((last) => last + 1)
  }

  return (
    <>
      <div class="bar">
        <h1>Events</h1>
        <Follow start={start} onStart={follow} />
      </div>
      <div class="events" data-actions={isAllowed}>
        <List tail={tail} />
        {isAllowed && <Publish />}
      </div>
    </>
  )
}

function List({ tail }: { readonly tail: Tail }) {
  const { events, held, received, connection } = useStore(tail.state)
  const [filter, setFilter] = useState('')
  const shown = useMemo(() => events.filter((event) => matches(event, filter.toLowerCase())), [events, filter])
  const problem = problemOf(connection)
  return (
    <section class="tail" aria-label="Events, newest first">
      <Controls
        filter={filter}
        held={held}
        onFilter={setFilter}
        onPause={() => tail.togglePause()}
        onClear={() => tail.clear()}
      />
      {problem && <Notice>{problem}</Notice>}
      <p class="soft">
        {filter ? `${shown.length} of ` : ''}
        {events.length === keptEvents ? `the newest ${keptEvents} events` : `${events.length} events`}
        {`, ${received.toLocaleString('en')} received. Private updates are included as far as the token may read their topics.`}
      </p>
      <ol>{shown.map(elementOf)}</ol>
      {shown.length === 0 && !problem && (
        <p class="empty">
          {events.length > 0
            ? 'No event matches the filter.'
            : 'No events yet. Those that are published appear at once.'}
        </p>
      )}
    </section>
  )
}

/** Gaps and other marks match every filter: they explain what is missing. */
function matches(event: TailEvent, text: string): boolean {
  if (text === '' || event.kind !== 'update') return true
  const { topics, type, data, id = '' } = event.update
  return [...topics, type, data, id].some((field) => field.toLowerCase().includes(text))
}
