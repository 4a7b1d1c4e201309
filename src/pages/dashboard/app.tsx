// The page: header, the view of the route, or the token form if the server refuses the token.
import { useEffect, useRef } from 'preact/hooks'
import { route, type View } from './data/route.ts'
import { loadConfig } from './data/server-config.ts'
import { useStore } from './data/store.ts'
import { access, token } from './data/token.ts'
import { EventsView } from './events/view.tsx'
import { OverviewView } from './overview/view.tsx'
import { ServerView } from './server/view.tsx'
import { ConnectionNotice } from './shell/connection.tsx'
import { Header, viewNames } from './shell/header.tsx'
import { TokenForm } from './shell/token-form.tsx'
import { StreamsView } from './streams/view.tsx'
import { TopicsView } from './topics/view.tsx'
import { Said } from './ui/said.tsx'

const components: Record<View, () => preact.JSX.Element> = {
  overview: OverviewView,
  streams: StreamsView,
  topics: TopicsView,
  events: EventsView,
  server: ServerView
}

export function App() {
  const { view } = useStore(route)
  const allowed = useStore(access)
  const used = useStore(token)
  const main = useRef<HTMLElement>(null)
  const shown = useRef<View>(view)
  // biome-ignore lint/correctness/useExhaustiveDependencies: another token may see another configuration
  useEffect(() => void loadConfig(), [used])
  useEffect(() => {
    document.title = `${viewNames[view]} · tidings dashboard`
    // A screen reader reads the new view, and the next Tab begins in it.
    if (shown.current !== view) main.current?.focus({ preventScroll: true })
    shown.current = view
    scrollTo(0, 0)
  }, [view])
  if (allowed.status === 'refused') {
    return (
      <>
        <Header onSkip={undefined} />
        <main>
          <TokenForm key={used} code={allowed.code} message={allowed.message} />
        </main>
      </>
    )
  }
  const Shown = components[view]
  return (
    <>
      <Header onSkip={() => main.current?.focus()} />
      <main id="main" ref={main} tabIndex={-1}>
        <ConnectionNotice />
        <Shown key={view} />
        <Said />
      </main>
    </>
  )
}
