// The chosen theme: that of the system, or another one, which the browser remembers.
import { Store } from '../data/store.ts'

export const themes = ['system', 'light', 'dark'] as const
export type Theme = (typeof themes)[number]

const key = 'tidings.dashboard.theme'
const darkSystem = matchMedia('(prefers-color-scheme: dark)')

export const theme = new Store<Theme>(themes.find((one) => one === localStorage.getItem(key)) ?? 'system')
/** What is shown. Charts draw again when it changes. */
export const shownTheme = new Store<'light' | 'dark'>('light')

export function chooseTheme(next: Theme): void {
  localStorage.setItem(key, next)
  theme.set(next)
  apply()
}

function apply(): void {
  const chosen = theme.value
  if (chosen === 'system') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = chosen
  const system = darkSystem.matches ? 'dark' : 'light'
  shownTheme.set(chosen === 'system' ? system : chosen)
}

darkSystem.addEventListener('change', apply)
apply()
