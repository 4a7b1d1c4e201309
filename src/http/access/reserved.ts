// The topics and types that only the hub publishes, so that no publisher can forge its announcements.
import { TidingsError } from '../../errors.ts'
import type { Update } from '../../update.ts'
import { hubPath } from './options.ts'

/** The type of the events that announce subscriptions [Mercure 1.0, Active Subscriptions]. */
export const presenceType = 'mercure'

/** A relative or absolute topic whose path needs neither decoding nor the path of the hub's URL. */
const plain = /^(https?:\/\/[\w.-]+(:\d+)?\/?)?[\w~@/.-]+$/i

export class ReservedTopics {
  readonly #base: string
  /** The path of the hub's URL, and the part after its last slash. */
  readonly #path: string
  readonly #name: string

  /** @param base the URL of the hub, against which topics are resolved */
  constructor(base: string) {
    this.#base = base
    this.#path = pathOf('', base)
    this.#name = this.#path.slice(this.#path.lastIndexOf('/') + 1)
  }

  /**
   * The check for all publish endpoints.
   * @throws TidingsError `topic_reserved` or `type_invalid`
   */
  check({ topics, type }: Pick<Update, 'topics' | 'type'>): void {
    for (const topic of topics) {
      if (mayBeBelowHub(topic) && this.#isBelowHub(topic)) throw new TidingsError('topic_reserved')
    }
    if (type === presenceType)
      throw new TidingsError('type_invalid', `"${presenceType}" is the type of the hub's announcements`)
  }

  /**
   * Whether a topic, resolved against the hub's URL, has the path of the hub or a path below it, on any host
   * [Mercure 1.0, Publication]. A topic that cannot be resolved is not reserved.
   */
  includes(topic: string): boolean {
    // Resolving a URL costs more than the rest of a publish.
    if (!mayBeBelowHub(topic) && plain.test(topic) && !topic.includes(this.#name)) return false
    const path = pathOf(topic, this.#base)
    return path === hubPath || path === this.#path || this.#isBelowHub(topic)
  }

  /**
   * Whether the path is below the hub, where its announcements are. Both the resolved and the written path are checked:
   * templates match the text of a topic, and `/.well-known/mercure/subscriptions/../..` resolves to another path.
   */
  #isBelowHub(topic: string): boolean {
    return [pathOf(topic, this.#base), textPathOf(topic)].some((path) => path.startsWith(`${hubPath}/`))
  }
}

/**
 * Whether a topic has the last part of the hub's path, or a percent-encoded character. Without both, it is not below the hub: a relative
 * topic replaces that part.
 */
function mayBeBelowHub(topic: string): boolean {
  return topic.includes('mercure') || topic.includes('%')
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
