// The view that the page shows. It is in the fragment of the URL, such as #/streams/ID?filter=ann, so that it can be linked.
import { Store } from './store.ts'

export const views = ['overview', 'streams', 'topics', 'events', 'server'] as const
export type View = (typeof views)[number]

export interface Route {
  readonly view: View
  /** What the view shows in detail; empty if nothing. */
  readonly id: string
  readonly query: Readonly<Record<string, string>>
}

export const route = new Store(read())

function read(): Route {
  const [path = '', query = ''] = location.hash.replace(/^#\/?/, '').split('?', 2)
  const [name = '', id = ''] = path.split('/', 2)
  const view = views.find((one) => one === name) ?? 'overview'
  return { view, id: decode(id), query: Object.fromEntries(new URLSearchParams(query)) }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** A link to a view. Empty values of the query are left out. */
export function linkTo(view: View, id = '', query: Readonly<Record<string, string>> = {}): string {
  const filled = Object.entries(query).filter(([, value]) => value !== '')
  const search = filled.length > 0 ? `?${new URLSearchParams(filled)}` : ''
  return `#/${view}${id && `/${encodeURIComponent(id)}`}${search}`
}

export function go(link: string): void {
  location.hash = link
}

/** Changes the URL without an entry in the browser's history, as for each letter of a filter. */
export function replace(link: string): void {
  history.replaceState(null, '', link)
  route.set(read())
}

addEventListener('hashchange', () => route.set(read()))
