// The URLs of a hub, in its own API and in the two dialects of Mercure.

/** `tidings` is the API of `/subscribe`; `1.0` and `0.x` are the dialects of Mercure. */
export type Dialect = 'tidings' | '1.0' | '0.x'

/** Whether cookies are sent, as for `fetch`. */
export type Credentials = 'omit' | 'same-origin' | 'include'

/** What the URL of a request depends on. */
export interface Position {
  readonly topics: readonly string[]
  /** The id to continue after; empty for none. */
  readonly lastEventId: string
  /** Start with the newest N updates, if there is no id. */
  readonly last?: number | undefined
}

export interface Endpoint {
  readonly dialect: Dialect
  streamUrl(position: Position): string
  /** The URL of a page of history; undefined if there is none. */
  pageUrl?: (position: Position, waitSeconds: number) => string
}

/** Resolves a URL against that of the page, if there is one. */
export function absolute(url: string | URL): URL {
  return new URL(url, (globalThis as { location?: { href: string } }).location?.href)
}

/** The dialect of a URL for which none is given. */
export function dialectOf({ pathname }: URL): Dialect {
  return pathname.endsWith('/.well-known/mercure') ? '1.0' : 'tidings'
}

export function endpointOf(url: string | URL, dialect?: Dialect): Endpoint {
  const base = absolute(url)
  const chosen = dialect ?? dialectOf(base)
  if (chosen !== 'tidings') return mercure(base, chosen)
  return {
    dialect: chosen,
    streamUrl: (position) => withQuery(base, { ...query(position, 'last_event_id'), envelope: 'json', control: '1' }),
    pageUrl: (position, wait) => {
      const parameters = { ...query(position, 'after'), limit: '1000', wait: wait && `${wait}s` }
      return withQuery(new URL('updates', base), parameters)
    }
  }
}

function mercure(base: URL, dialect: Dialect): Endpoint {
  const [topic, id] = dialect === '0.x' ? ['topic', 'lastEventID'] : ['match', 'last_event_id']
  return {
    dialect,
    streamUrl: ({ topics, lastEventId }) => withQuery(base, { [topic as string]: topics, [id as string]: lastEventId })
  }
}

function query({ topics, lastEventId, last }: Position, id: string) {
  return { topic: topics, [id]: lastEventId, last: lastEventId ? undefined : last }
}

function withQuery(base: URL, parameters: Record<string, string | number | readonly string[] | undefined>): string {
  const url = new URL(base)
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of [value].flat())
      if (one !== undefined && one !== '' && one !== 0) url.searchParams.append(name, String(one))
  }
  return url.href
}
