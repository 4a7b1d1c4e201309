// Which topics and types are the hub's own, so that no publisher can forge what the hub announces. It knows no dialect.
import { TidingsError } from '../../errors.ts'
import type { Update } from '../../update.ts'
import { hubPath } from './options.ts'

/** The type of the events by which the hub announces subscriptions [Mercure 1.0, Active subscriptions]. */
export const presenceType = 'mercure'

/**
 * The check of all endpoints.
 * @throws TidingsError `topic_reserved` or `type_invalid`
 */
export function checkReserved({ topics, type }: Update, base: string): void {
  if (topics.some((topic) => isBelowHub(topic, base))) throw new TidingsError('topic_reserved')
  if (type === presenceType)
    throw new TidingsError('type_invalid', `"${presenceType}" is the type of the hub's own events`)
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
 * Whether it leads below, where the hub's own updates are. Its text counts as well as where it leads: a template matches the text, and
 * `/.well-known/mercure/subscriptions/../..` leads elsewhere.
 */
function isBelowHub(topic: string, base: string): boolean {
  return [pathOf(topic, base), textPathOf(topic)].some((path) => path.startsWith(`${hubPath}/`))
}

/** The path as it is written, without scheme, host, query and fragment. */
function textPathOf(topic: string): string {
  return topic
    .replace(/^[a-z][a-z0-9+.-]*:(?=\/\/)/i, '')
    .replace(/^\/\/[^/?#]*/, '')
    .replace(/[?#].*$/s, '')
}

function pathOf(topic: string, base: string): string {
  if (!URL.canParse(topic, base)) return ''
  const path = decodeUnreserved(new URL(topic, base).pathname)
  // Once more, since what was decoded may be dots that mean the folder itself or the one above.
  return path.startsWith('/') ? new URL(`http://hub${path}`).pathname : path
}

/** Decodes what need not have been encoded [RFC 3986, 6.2.2.2]. */
function decodeUnreserved(path: string): string {
  return path.replace(/%(2[DE]|3\d|4[1-9A-F]|5[0-9AF]|6[1-9A-F]|7[0-9AE])/gi, (triplet) => decodeURIComponent(triplet))
}
