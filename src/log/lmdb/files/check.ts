// Checks all pages of LMDB's data file before LMDB opens it. On an overwritten page LMDB would end the process, hang, or return wrong
// data. Values have checksums of their own, which are checked when they are read.
import { type LmdbPages, type Node, nodeKind, pageKind, type Tree } from './pages.ts'

/** Integer keys are ordered as numbers, all others as bytes. */
const integerKeys = 0x08
const treeSize = 48
/** The root of an empty tree. */
const noPage = 2 ** 64
const subPage = { flags: 0x42, headerSize: 24 }

interface Bounds {
  readonly low?: Buffer
  readonly high?: Buffer
}

interface Counts {
  branches: number
  leaves: number
  entries: number
}

/** @throws LogError that names the file and the page */
export function checkPages(pages: LmdbPages): void {
  new Check(pages).all()
}

class Check {
  readonly #pages: LmdbPages
  /** Whether each page is in use. */
  readonly #used: Uint8Array

  constructor(pages: LmdbPages) {
    this.#pages = pages
    this.#used = new Uint8Array(pages.mark.lastPage + 1)
  }

  all(): void {
    const { main, free } = this.#pages.mark
    const lists: Buffer[] = []
    this.#tree(free, (node) => void lists.push(this.#pages.valueOf(node)))
    this.#tree(main, (node) => this.#tree(this.#treeIn(node)))
    for (const list of lists) for (const { first, length } of this.#pages.runsOf(list)) this.#mustBeFree(first, length)
  }

  #tree(tree: Tree, visit?: (node: Node) => void): void {
    if (tree.depth === 0) {
      if (tree.root !== noPage || tree.entries !== 0)
        throw this.#pages.wrong(tree.root, 'is the root of a tree that is said to be empty')
      return
    }
    const counts = { branches: 0, leaves: 0, entries: 0 }
    this.#page(tree, tree.root, 1, {}, counts, visit)
    const { branches, leaves, entries } = counts
    if (branches !== tree.branches || leaves !== tree.leaves || entries !== tree.entries)
      throw this.#pages.wrong(tree.root, 'is the root of a tree with entries missing')
  }

  #page(tree: Tree, number: number, depth: number, bounds: Bounds, counts: Counts, visit?: (node: Node) => void): void {
    const isLeaf = depth === tree.depth
    const page = this.#pages.read(number, isLeaf ? pageKind.leaf : pageKind.branch)
    this.#use(number, 1)
    const nodes = this.#pages.nodes(number, page)
    this.#mustBeInOrder(tree, number, nodes, isLeaf ? 0 : 1, bounds)
    if (isLeaf) {
      counts.leaves++
      for (const node of nodes) {
        counts.entries += this.#leafNode(number, node)
        visit?.(node)
      }
      return
    }
    counts.branches++
    nodes.forEach((node, at) => {
      // The first key of a branch page stands for all lower keys.
      const low = at === 0 ? bounds.low : node.key
      const high = nodes[at + 1]?.key ?? bounds.high
      this.#page(
        tree,
        this.#pages.childOf(node),
        depth + 1,
        { ...(low && { low }), ...(high && { high }) },
        counts,
        visit
      )
    })
  }

  #mustBeInOrder(tree: Tree, number: number, nodes: readonly Node[], from: number, { low, high }: Bounds): void {
    if (nodes.length === 0) throw this.#pages.wrong(number, 'is empty')
    const isNumeric = (tree.flags & integerKeys) !== 0
    let last = low
    for (let at = from; at < nodes.length; at++) {
      const { key } = nodes[at] as Node
      // LMDB has no empty key: this is a node of zeros.
      if (key.length === 0) throw this.#pages.wrong(number, 'has an entry without a key')
      const order = last ? compare(last, key, isNumeric) : -1
      // A key may be equal to the lower bound of its branch.
      if (order > 0 || (order === 0 && at > from)) throw this.#pages.wrong(number, 'is not in order')
      last = key
    }
    if (last && high && compare(last, high, isNumeric) >= 0) throw this.#pages.wrong(number, 'is not in order')
  }

  /** Returns the number of entries of the node. */
  #leafNode(number: number, node: Node): number {
    const kind = node.flags
    if (kind === 0) return 1
    if (kind === nodeKind.big) {
      const { first, count } = this.#pages.overflowOf(node)
      this.#use(first, count)
      return 1
    }
    if (kind === nodeKind.tree) return 1
    if (kind === nodeKind.duplicates) return this.#subPage(number, node.value)
    if (kind !== (nodeKind.duplicates | nodeKind.tree)) throw this.#pages.wrong(number, 'has an entry of no known kind')
    const tree = this.#treeIn(node)
    this.#tree(tree)
    return tree.entries
  }

  #subPage(number: number, page: Buffer): number {
    const isSubPage = page.length > subPage.headerSize && page.readUInt16LE(18) === subPage.flags
    if (!isSubPage) throw this.#pages.wrong(number, 'has an entry of no known kind')
    const nodes = this.#pages.nodes(number, page, true)
    this.#mustBeInOrder({ flags: 0 } as Tree, number, nodes, 0, {})
    return nodes.length
  }

  #treeIn({ value, flags }: Node): Tree {
    if ((flags & nodeKind.tree) === 0 || value.length !== treeSize) throw this.#pages.wrong(0, 'leads to no tree')
    return this.#pages.treeAt(value, 0)
  }

  #use(first: number, count: number): void {
    for (let page = first; page < first + count; page++) {
      if (this.#used[page] !== 0) throw this.#pages.wrong(page, 'is used twice')
      this.#used[page] = 1
    }
  }

  #mustBeFree(first: number, count: number): void {
    for (let page = first; page < first + count; page++)
      if (this.#used[page] !== 0) throw this.#pages.wrong(page, 'is in use, counts as free, or is not there')
  }
}

function compare(a: Buffer, b: Buffer, isNumeric: boolean): number {
  if (!isNumeric || a.length !== 8 || b.length !== 8) return a.compare(b)
  const difference = a.readBigUInt64LE(0) - b.readBigUInt64LE(0)
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}
