// The head of the page: navigation, connection, health, theme and token.
import type { HealthList } from '../../../dashboard-api/server.ts'
import { usePolled } from '../data/polled.ts'
import { linkTo, route, type View, views } from '../data/route.ts'
import { serverConfig } from '../data/server-config.ts'
import { useStore } from '../data/store.ts'
import { access, enterToken, token } from '../data/token.ts'
import { apiUrl } from '../data/urls.ts'
import { plural } from '../ui/format.ts'
import { Logo, MoonIcon, SunIcon, SystemIcon, WarnIcon } from '../ui/icons.tsx'
import { ConnectionState } from './connection.tsx'
import { chooseTheme, theme, themes } from './theme.ts'

export const viewNames: Record<View, string> = {
  overview: 'Overview',
  streams: 'Streams',
  topics: 'Topics',
  events: 'Events',
  server: 'Server'
}

const healthMs = 15_000

/** @param onSkip moves the focus to the content; undefined if the focus is there already */
export function Header({ onSkip }: { readonly onSkip: (() => void) | undefined }) {
  const isReadOnly = useStore(serverConfig)?.readOnly === true
  return (
    <header>
      {onSkip && (
        <button type="button" class="skip" onClick={onSkip}>
          Skip to the content
        </button>
      )}
      <a class="brand" href="#/overview" aria-label="tidings dashboard, overview">
        <Logo />
        tidings
      </a>
      <Navigation />
      <div class="tools">
        {isReadOnly && <span class="badge">read-only</span>}
        <Health />
        <ConnectionState />
        <ThemeButton />
        <ForgetToken />
      </div>
    </header>
  )
}

function Navigation() {
  const { view } = useStore(route)
  return (
    <nav aria-label="Views">
      {views.map((one) => (
        <a key={one} href={linkTo(one)} aria-current={one === view ? 'page' : undefined}>
          {viewNames[one]}
        </a>
      ))}
    </nav>
  )
}

/** Names failing checks on every view. */
function Health() {
  const isRefused = useStore(access).status === 'refused'
  const { value } = usePolled<HealthList>(isRefused ? undefined : apiUrl('health'), healthMs)
  const failing = value?.checks.filter(({ state }) => state === 'failing').length ?? 0
  if (failing === 0) return null
  return (
    <a class="badge failing" href={linkTo('server')}>
      <WarnIcon />
      {plural(failing, 'check')} failing
    </a>
  )
}

const themeIcons = { system: SystemIcon, light: SunIcon, dark: MoonIcon }

function ThemeButton() {
  const chosen = useStore(theme)
  const next = themes[(themes.indexOf(chosen) + 1) % themes.length] ?? 'system'
  const Icon = themeIcons[chosen]
  const label = `Theme: ${chosen}. Change to ${next}`
  return (
    <button type="button" class="quiet" aria-label={label} title={label} onClick={() => chooseTheme(next)}>
      <Icon />
    </button>
  )
}

function ForgetToken() {
  if (!useStore(token)) return null
  return (
    <button type="button" class="quiet" onClick={() => enterToken('')}>
      Forget token
    </button>
  )
}
