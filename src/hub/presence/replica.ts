// What this node knows of the roster: read once, and from then on what arrives from the log, so that roster and log tell the
// same. It announces nobody.
import type { Member } from '../../log/roster.ts'

export class RosterReplica {
  readonly members: ReadonlyMap<string, Member>
  /** How many members each node has; those that have none are not there. */
  readonly nodes: ReadonlyMap<string, number>
  readonly #members = new Map<string, Member>()
  readonly #nodes = new Map<string, number>()
  /** Who came or went while the roster was read: what arrived is newer than what was read. */
  #changed: Set<string> | undefined

  constructor() {
    this.members = this.#members
    this.nodes = this.#nodes
  }

  add(member: Member): void {
    this.#changed?.add(member.topic)
    this.#set(member)
  }

  remove(topic: string): void {
    this.#changed?.add(topic)
    this.#delete(topic)
  }

  /** All members of one node. */
  *membersOf(node: string): Iterable<Member> {
    if (this.#nodes.has(node)) for (const member of this.#members.values()) if (member.node === node) yield member
  }

  /** Takes over what the roster says. @throws whatever reading does; then everything stays as it was */
  async load(pages: AsyncIterable<readonly Member[]>): Promise<void> {
    const changed = new Set<string>()
    this.#changed = changed
    const found = new Map<string, Member>()
    for await (const page of pages) for (const member of page) found.set(member.topic, member)
    // Whoever reads anew meanwhile knows better.
    if (this.#changed !== changed) return
    this.#changed = undefined
    for (const topic of this.#members.keys()) if (!found.has(topic) && !changed.has(topic)) this.#delete(topic)
    for (const member of found.values()) if (!changed.has(member.topic)) this.#set(member)
  }

  clear(): void {
    this.#changed = undefined
    this.#members.clear()
    this.#nodes.clear()
  }

  #set(member: Member): void {
    this.#delete(member.topic)
    this.#members.set(member.topic, member)
    this.#nodes.set(member.node, (this.#nodes.get(member.node) ?? 0) + 1)
  }

  #delete(topic: string): void {
    const { node } = this.#members.get(topic) ?? {}
    if (node === undefined) return
    this.#members.delete(topic)
    const left = (this.#nodes.get(node) as number) - 1
    if (left > 0) this.#nodes.set(node, left)
    else this.#nodes.delete(node)
  }
}
