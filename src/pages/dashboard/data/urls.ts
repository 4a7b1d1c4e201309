// The URLs of the hub. The page is served as `dashboard`, with or without a slash at the end, below the path of the hub.

/** The URL below which the endpoints of the hub are. It ends with a slash. */
export const hubUrl = new URL(location.origin)
// Assigned, since a path that begins with two slashes would be read as another host, to which the page would send its token.
hubUrl.pathname = location.pathname.replace(/dashboard\/?$/, '')

export const subscribeUrl = new URL('subscribe', hubUrl)
export const publishUrl = new URL('publish', hubUrl)
export const updatesUrl = new URL('dashboard/updates', hubUrl)

/** An endpoint of the dashboard, with a query of what is neither undefined nor empty. */
export function apiUrl(path: string, query: Readonly<Record<string, string | number | undefined>> = {}): URL {
  const url = new URL(`dashboard/api/${path}`, hubUrl)
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && value !== '') url.searchParams.set(name, String(value))
  return url
}
