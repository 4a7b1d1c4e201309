// The subscriptions of this page that share a stream, and the page's part in the group of all tabs.
import type { StreamOptions } from '../stream/event-stream.ts'
import { isPageHidden, observePage } from '../stream/page-events.ts'
import type { Sharing, State } from '../stream/state.ts'
import { TopicStream } from '../stream/topic-stream.ts'
import { Leader } from './leader.ts'
import type { Home, Member } from './member.ts'
import type { LeaderMessage, Message } from './messages.ts'
import { aloneIn, joinTabs, obstacle, type Presence } from './presence.ts'

export interface GroupOptions extends StreamOptions {
  /** `page`: only the subscriptions of this page. */
  readonly scope: 'tabs' | 'page'
  /** Distinguishes groups of the same URL. */
  readonly group: string
}

const groups = new Map<string, Group>()

/** The group of this page for this URL, scope and name. */
export function groupOf(options: GroupOptions): Group {
  const { endpoint, credentials = '', scope, group: label, token } = options
  const url = endpoint.streamUrl({ topics: [], lastEventId: '' })
  const name = ['tidings', scope, label, credentials, url].join(' ')
  // Subscriptions of one page that have different tokens are like different tabs. The name of a lock must not contain a token.
  const key = typeof token === 'string' ? `${name} ${token}` : name
  const group = groups.get(key) ?? new Group(key, name, options)
  groups.set(key, group)
  return group
}

export class Group implements Home {
  /** The state of the shared stream. */
  state: State = { status: 'connecting' }
  readonly #key: string
  readonly #name: string
  /** Those of the first member. They apply to the stream while this page leads. */
  readonly #options: GroupOptions
  readonly #members = new Map<string, Member>()
  /** Undefined while the page is suspended. */
  #presence: Presence | undefined
  #isPresent = false
  #leader: Leader | undefined
  /** The leader whose messages count. */
  #leaderId: string | undefined
  #sharing: Sharing = { role: 'follower' }
  #end = new AbortController()

  /** @param key identifies the group in this page @param name identifies it among the tabs */
  constructor(key: string, name: string, options: GroupOptions) {
    this.#key = key
    this.#name = name
    this.#options = options
  }

  join(member: Member): void {
    const isFirst = this.#members.size === 0
    this.#members.set(member.id, member)
    member.shared(this.#sharing)
    if (!isFirst) {
      this.want(member)
      return
    }
    groups.set(this.#key, this)
    this.#end = new AbortController()
    this.#observe()
    this.#enter()
  }

  /** Asks the leader for the topics of a member. */
  want({ id, changes }: Member): void {
    const { tab = '' } = this.#presence ?? {}
    const { wanted: topics, version } = changes
    if (this.#isPresent) this.#send({ type: 'want', tab, member: id, version, topics })
  }

  leave({ id }: Member): void {
    if (!this.#members.delete(id)) return
    if (this.#isPresent) this.#send({ type: 'leave', member: id })
    if (this.#members.size > 0) return
    this.#end.abort()
    this.#suspend('the group has no members')
    if (groups.get(this.#key) === this) groups.delete(this.#key)
  }

  #observe(): void {
    const { pauseWhenHidden } = this.#options
    observePage(
      {
        woke: () => {
          if (!(pauseWhenHidden && isPageHidden())) this.#enter()
        },
        offline: () => {},
        visibility: (isHidden) => {
          if (pauseWhenHidden && isHidden) this.#suspend('the page is hidden')
        },
        leaving: () => {
          for (const member of this.#members.values()) member.leaving()
          this.#suspend('the page is suspended')
        }
      },
      this.#end.signal
    )
  }

  #enter(): void {
    if (this.#presence) return
    this.state = { status: 'connecting' }
    const handlers = {
      onMessage: (message: Message) => this.#hear(message),
      onPresent: () => {
        this.#isPresent = true
        for (const member of this.#members.values()) this.want(member)
      },
      onLead: () => this.#lead()
    }
    const reason = this.#options.scope === 'tabs' ? obstacle() : undefined
    if (reason) this.#share({ role: 'alone', reason })
    const isAlone = reason !== undefined || this.#options.scope === 'page'
    this.#presence = isAlone ? aloneIn(handlers) : joinTabs(this.#name, handlers)
    for (const member of this.#members.values()) member.update()
  }

  /** Leaves the group of tabs, so that another one leads and this page can be suspended. */
  #suspend(reason: string): void {
    this.#presence?.leave()
    this.#presence = undefined
    this.#isPresent = false
    this.#leader?.close()
    this.#leader = undefined
    this.#leaderId = undefined
    this.state = { status: 'waiting', until: Number.POSITIVE_INFINITY, reason }
    if (this.#sharing.role === 'leader') this.#share({ role: 'follower' })
    for (const member of [...this.#members.values()]) member.lost()
  }

  #lead(): void {
    const id = crypto.getRandomValues(new Uint32Array(3)).join('-')
    const presence = this.#presence as Presence
    this.#leader = new Leader({
      id,
      send: (message) => this.#send(message),
      watch: (tab, gone) => presence.watch(tab, gone),
      open: (topics, handlers) =>
        new TopicStream({ ...this.#options, topics, from: '', last: undefined, pauseWhenHidden: false, ...handlers })
    })
    this.#send({ type: 'lead', leader: id })
    if (this.#sharing.role !== 'alone') this.#share({ role: 'leader' })
  }

  #share(sharing: Sharing): void {
    if (sharing.role === this.#sharing.role) return
    this.#sharing = sharing
    for (const member of this.#members.values()) member.shared(sharing)
  }

  #send(message: Message): void {
    this.#presence?.send(message)
    this.#hear(message)
  }

  #hear(message: Message): void {
    if (message.type === 'want' || message.type === 'leave') this.#leader?.hear(message)
    else if (message.type === 'lead') this.#follow(message.leader)
    else {
      // A page that joins a group does not know its leader yet.
      this.#leaderId ??= message.leader
      if (message.leader === this.#leaderId) this.#obey(message)
    }
  }

  #follow(leader: string): void {
    this.#leaderId = leader
    this.state = { status: 'connecting' }
    if (this.#sharing.role === 'leader') this.#share({ role: 'follower' })
    for (const member of this.#members.values()) {
      member.lost()
      this.want(member)
    }
  }

  #obey(message: LeaderMessage): void {
    const members = [...this.#members.values()]
    if (message.type === 'event') for (const member of members) member.receive(message.event, message.topics)
    else if (message.type === 'state') {
      this.state = message.state
      for (const member of members) member.update()
    } else if (message.type === 'joined') {
      for (const want of message.wants) this.#members.get(want.member)?.joined(want.version, message.position)
    } else if (message.type === 'refused') {
      const { member, version } = message.want
      this.#members.get(member)?.refused(version, message.code, message.reason)
    } else if (message.type === 'failed') for (const member of members) member.leave(message.reason)
  }
}
