// Reads pages of LMDB's data file without LMDB: the meta pages, the trees, and the list of free pages.
import { closeSync, openSync, readSync } from 'node:fs'
import { damaged } from './damaged.ts'

/** LMDB uses the byte order of the machine, which is little-endian on all that its packages are built for. */
const headerSize = 24
const nodeSize = 8
const at = {
  header: { flags: 18, lower: 20, upper: 22, pages: 20 },
  mark: { magic: 24, version: 28, free: 48, main: 96, lastPage: 144, commit: 152, end: 160 },
  tree: { pageSize: 0, flags: 4, depth: 6, branches: 8, leaves: 16, entries: 32, root: 40, end: 48 },
  node: { flags: 4, keySize: 6 }
}
const magic = 0xbeefc0de
const version = 2

export const pageKind = { branch: 0x01, leaf: 0x02, overflow: 0x04 }
export const nodeKind = { big: 0x01, tree: 0x02, duplicates: 0x04 }

/** The record of a B-tree. */
export interface Tree {
  readonly flags: number
  readonly depth: number
  readonly branches: number
  readonly leaves: number
  readonly entries: number
  readonly root: number
}

/** A meta page: the record of a commit. */
export interface Mark {
  readonly pageSize: number
  readonly lastPage: number
  readonly commit: number
  readonly free: Tree
  readonly main: Tree
}

export interface Node {
  readonly flags: number
  readonly key: Buffer
  /** The value or, with `big`, its position. */
  readonly value: Buffer
}

export class LmdbPages {
  /** The meta page of the newest commit. */
  readonly mark: Mark
  readonly #file: string
  readonly #descriptor: number

  /** @throws LogError when the file is not of LMDB */
  constructor(file: string) {
    this.#file = file
    this.#descriptor = openSync(file, 'r')
    try {
      const first = this.#markAt(0)
      const second = this.#markAt(first.pageSize)
      // Commits alternate between the two meta pages.
      const isPair = first.commit % 2 === 0 && second.commit % 2 === 1 && Math.abs(first.commit - second.commit) === 1
      if (!isPair && first.commit + second.commit > 0)
        throw damaged(
          file,
          `the marks of its last two commits (${first.commit}, ${second.commit}) do not belong together`
        )
      this.mark = first.commit > second.commit ? first : second
    } catch (error) {
      this.close()
      throw error
    }
  }

  close(): void {
    closeSync(this.#descriptor)
  }

  /** Reads a page and checks its kind and its number; into `page` when it is given. */
  read(number: number, kind: number, page = Buffer.allocUnsafe(this.mark.pageSize)): Buffer {
    const isThere = number >= 2 && number <= this.mark.lastPage
    const length = isThere ? readSync(this.#descriptor, page, 0, page.length, number * page.length) : 0
    if (length < page.length) throw this.wrong(number, 'is not there')
    if (page.readBigUInt64LE(0) !== BigInt(number)) throw this.wrong(number, 'bears another number')
    if (page.readUInt16LE(at.header.flags) !== kind) throw this.wrong(number, 'is of another kind')
    return page
  }

  /** The nodes of a page, in order; or of a page inside one, which holds the values of one key. */
  nodes(number: number, page: Buffer, isWithin = false): Node[] {
    const lower = page.readUInt16LE(at.header.lower)
    const upper = page.readUInt16LE(at.header.upper)
    if (lower % 2 !== 0 || lower > upper || upper + headerSize > page.length) throw this.wrong(number, 'has no order')
    const isLeaf = isWithin || page.readUInt16LE(at.header.flags) === pageKind.leaf
    const nodes: Node[] = []
    for (let pointer = headerSize; pointer < headerSize + lower; pointer += 2) {
      const start = headerSize + page.readUInt16LE(pointer)
      const key = start + nodeSize
      if (start < headerSize + upper || key > page.length) throw this.wrong(number, 'has an entry outside of it')
      const value = key + page.readUInt16LE(start + at.node.keySize)
      const flags = isLeaf ? page.readUInt16LE(start + at.node.flags) : 0
      const size = isLeaf ? ((flags & nodeKind.big) !== 0 ? headerSize : page.readUInt32LE(start)) : 0
      if (value + size > page.length) throw this.wrong(number, 'has an entry outside of it')
      nodes.push({
        flags,
        key: page.subarray(key, value),
        // In a branch, the number of the child page is where a leaf has size and flags.
        value: isLeaf ? page.subarray(value, value + size) : page.subarray(start, start + nodeSize)
      })
    }
    return nodes
  }

  /** The child page of a node of a branch. */
  childOf({ value }: Node): number {
    return value.readUIntLE(0, 6)
  }

  /** The overflow pages of a value: the first, and their number. */
  overflowOf({ value }: Node): { first: number; count: number } {
    const first = number64(value, 0)
    const count = number64(value, 16)
    const page = this.read(first, pageKind.overflow)
    const isWhole = page.readUInt32LE(at.header.pages) === count && first + count - 1 <= this.mark.lastPage
    if (!isWhole) throw this.wrong(first, 'is of another length')
    return { first, count }
  }

  /** Reads a value, also from overflow pages. */
  valueOf(node: Node): Buffer {
    if ((node.flags & nodeKind.big) === 0) return node.value
    const { first, count } = this.overflowOf(node)
    const value = Buffer.allocUnsafe(count * this.mark.pageSize)
    readSync(this.#descriptor, value, 0, value.length, first * this.mark.pageSize)
    return value.subarray(headerSize)
  }

  /** The number of pages that commits can reuse. */
  countFree(): number {
    let count = 0
    this.#visit(this.mark.free, this.mark.free.root, 1, (node) => {
      for (const { length } of this.runsOf(this.valueOf(node))) count += length
    })
    return count
  }

  /** The runs of pages in one record of free pages: a number, or a negative length and the first number. */
  *runsOf(record: Buffer): Generator<{ first: number; length: number }, void, undefined> {
    const end = 8 * number64(record, 0)
    if (end + 8 > record.length) throw damaged(this.#file, 'a list of free pages is cut short')
    let length = 1
    for (let place = 8; place <= end; place += 8) {
      const number = Number(record.readBigInt64LE(place))
      if (number > 0) yield { first: number, length }
      length = number < 0 ? -number : 1
    }
  }

  treeAt(bytes: Buffer, start: number): Tree {
    return {
      flags: bytes.readUInt16LE(start + at.tree.flags),
      depth: bytes.readUInt16LE(start + at.tree.depth),
      branches: number64(bytes, start + at.tree.branches),
      leaves: number64(bytes, start + at.tree.leaves),
      entries: number64(bytes, start + at.tree.entries),
      root: number64(bytes, start + at.tree.root)
    }
  }

  wrong(page: number, what: string): Error {
    return damaged(this.#file, `page ${page} ${what}`)
  }

  #visit(tree: Tree, number: number, depth: number, visit: (node: Node) => void): void {
    if (depth > tree.depth) return
    const isLeaf = depth === tree.depth
    const page = this.read(number, isLeaf ? pageKind.leaf : pageKind.branch)
    for (const node of this.nodes(number, page)) {
      if (isLeaf) visit(node)
      else this.#visit(tree, this.childOf(node), depth + 1, visit)
    }
  }

  #markAt(start: number): Mark {
    const bytes = Buffer.alloc(at.mark.end)
    const length = readSync(this.#descriptor, bytes, 0, bytes.length, start)
    const pageSize = bytes.readUInt32LE(at.mark.free + at.tree.pageSize)
    const isMark = bytes.readUInt32LE(at.mark.magic) === magic && bytes.readUInt32LE(at.mark.version) === version
    if (length < at.mark.end || !isMark || pageSize < 512 || pageSize > 65_536) {
      throw damaged(this.#file, `what stands at byte ${start} is not what LMDB writes there`)
    }
    return {
      pageSize,
      lastPage: number64(bytes, at.mark.lastPage),
      commit: number64(bytes, at.mark.commit),
      free: this.treeAt(bytes, at.mark.free),
      main: this.treeAt(bytes, at.mark.main)
    }
  }
}

function number64(bytes: Buffer, start: number): number {
  return Number(bytes.readBigUInt64LE(start))
}
