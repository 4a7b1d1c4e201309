// Where the hub is mounted: splits the path of a request into the mount and the path below it. The mount comes from the
// option `basePath`, or from a framework that strips its prefix from `request.url`.

import { OptionError } from '../errors.ts'
import type { HttpRequest } from './exchange.ts'
import { parseTarget, targetOf } from './target.ts'

export interface MountOptions {
  /**
   * The path below which the hub answers, as clients request it, such as `/events`; default the root. With `basePath`,
   * the handler answers all requests for this path and below. Others go to `next()`, or get 404 `not_found` if there is
   * no `next`.
   *
   * Without `basePath`, the handler also works below the prefix of Express or Connect, as in `app.use('/events',
   * handler)`. Set it to the same prefix if tokens of Mercure 1.0 are used, because the default `audience` is the URL
   * of the hub.
   */
  basePath?: string
}

export interface Mounted {
  /** Empty at the root; otherwise it begins with a slash and does not end with one. */
  readonly mount: string
  /** The path below the mount, percent-encoded as sent. Empty for the mount itself, without a slash at its end. */
  readonly path: string
}

/** Frameworks keep the URL as the client sent it, and strip their prefix from `url`. */
type FrameworkRequest = HttpRequest & { readonly originalUrl?: unknown }

/**
 * The option without a slash at its end; empty for the root.
 * @throws OptionError
 */
export function readBasePath({ basePath = '' }: MountOptions): string {
  const path = basePath.replace(/\/$/, '')
  if (path === '' || (path.startsWith('/') && isNormal(path))) return path
  throw new OptionError('basePath', `expected a path such as /events, got ${JSON.stringify(basePath)}`)
}

/** Whether a URL leaves the path as it is: percent-encoded, without dot segments, query and fragment. */
function isNormal(path: string): boolean {
  return URL.canParse(`http://hub${path}`) && new URL(`http://hub${path}`).pathname === path && !path.includes('//')
}

/** Undefined if the path of the request is not below `basePath`. */
export function locate(request: FrameworkRequest, basePath: string): Mounted | undefined {
  const { path } = targetOf(request)
  const { originalUrl } = request
  const sent = typeof originalUrl === 'string' ? parseTarget(originalUrl).path : path
  const mount = basePath || prefixOf(sent, path)
  if (mount === '') return { mount, path }
  if (sent !== mount && !sent.startsWith(`${mount}/`)) return undefined
  return { mount, path: sent.slice(mount.length) }
}

/** The prefix that a framework has stripped. For a request of the prefix itself, frameworks set the path to `/`. */
function prefixOf(sent: string, path: string): string {
  if (sent.endsWith(path)) return sent.slice(0, -path.length)
  return path === '/' ? sent : ''
}
