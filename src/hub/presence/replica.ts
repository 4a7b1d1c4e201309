// This node's copy of the roster: loaded once, and updated by the entries that the log delivers. It leaves out records that belong to no
// node: they are not about presence, and no lease can end.
import { type Member, noNode } from '../../log/roster.ts'

/** Takes the records without a node of one load of the roster. */
export interface RecordLoad {
  /** Not called for a record that came or went meanwhile: its entry is newer. */
  found(record: Member): void
  /** All were found, except those that came or went meanwhile, whose topics are in `changed`. */
  end(changed: ReadonlySet<string>): void
}

export class RosterReplica {
  readonly members: ReadonlyMap<string, Member>
  /** The number of members of each node that has some. */
  readonly nodes: ReadonlyMap<string, number>
  readonly #members = new Map<string, Member>()
  readonly #nodes = new Map<string, number>()
  readonly #loadRecords: () => RecordLoad
  /** Members that came or went while the roster is loaded: entries are newer than what is read. */
  #changed: Set<string> | undefined

  /** @param loadRecords called at the beginning of each load */
  constructor(loadRecords: () => RecordLoad = () => ({ found: () => {}, end: () => {} })) {
    this.#loadRecords = loadRecords
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

  /** Replaces the copy. When reading throws, the copy stays as it was. */
  async load(pages: AsyncIterable<readonly Member[]>): Promise<void> {
    const changed = new Set<string>()
    this.#changed = changed
    const found = new Map<string, Member>()
    const records = this.#loadRecords()
    for await (const page of pages) {
      // A later load has newer data.
      if (this.#changed !== changed) return
      for (const member of page) {
        if (member.node !== noNode) found.set(member.topic, member)
        else if (!changed.has(member.topic)) records.found(member)
      }
    }
    if (this.#changed !== changed) return
    this.#changed = undefined
    records.end(changed)
    for (const topic of this.#members.keys()) if (!found.has(topic) && !changed.has(topic)) this.#delete(topic)
    for (const member of found.values()) if (!changed.has(member.topic)) this.#set(member)
  }

  clear(): void {
    this.#changed = undefined
    this.#members.clear()
    this.#nodes.clear()
  }

  #set(member: Member): void {
    if (member.node === noNode) return
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
