// The topics and types that only the hub publishes, so that no publisher can forge its announcements.
import { TidingsError } from '../../errors.ts'
import type { Update } from '../../update.ts'
import { hubPath } from './options.ts'

/** The type of the events that announce subscriptions [Mercure 1.0, Active Subscriptions]. */
export const presenceType = 'mercure'

/**
 * The check for all publish endpoints.
 * @throws TidingsError `topic_reserved` or `type_invalid`
 */
export function checkReserved({ topics, type }: Update, base: string): void {
  if (topics.some((topic) => isBelowHub(topic, base))) throw new TidingsError('topic_reserved')
  if (type === presenceType)
    throw new TidingsError('type_invalid', `"${presenceType}" is the type of the hub's announcements`)
}

/**
 * Whether a topic, resolved against the hub's URL, has the path of the hub or a path below it, on any host
 * [Mercure 1.0, Publication]. A topic that cannot be resolved is not reserved.
 */
export function isReserved(topic: string, base: string): boolean {
  const path = pathOf(topic, base)
  return path === hubPath || path === pathOf('', base) || isBelowHub(topic, base)
}

/**
 * Whether the path is below the hub, where its announcements are. Both the resolved and the written path are checked:
 * templates match the text of a topic, and `/.well-known/mercure/subscriptions/../..` resolves to another path.
 */
function isBelowHub(topic: string, base: string): boolean {
  return [pathOf(topic, base), textPathOf(topic)].some((path) => path.startsWith(`${hubPath}/`))
}

/** The path as written, without scheme, host, query and fragment. */
function textPathOf(topic: string): string {
  return topic
    .replace(/^[a-z][a-z0-9+.-]*:(?=\/\/)/i, '')
    .replace(/^\/\/[^/?#]*/, '')
    .replace(/[?#].*$/s, '')
}

function pathOf(topic: string, base: string): string {
  if (!URL.canParse(topic, base)) return ''
  const path = decodeUnreserved(new URL(topic, base).pathname)
  // Resolved again, since decoding may have produced dot segments.
  return path.startsWith('/') ? new URL(`http://hub${path}`).pathname : path
}

/** Decodes unreserved characters [RFC 3986, 6.2.2.2]. */
function decodeUnreserved(path: string): string {
  return path.replace(/%(2[DE]|3\d|4[1-9A-F]|5[0-9AF]|6[1-9A-F]|7[0-9AE])/gi, (triplet) => decodeURIComponent(triplet))
}
