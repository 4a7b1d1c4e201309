// Rewrites the regular expression in a group `(…)` of a URL pattern for an engine with linear time, and calculates the
// size of its program. It accepts only what JavaScript and RE2 interpret in the same way.

/** A regular expression in RE2's syntax. */
export interface LinearRegExp {
  readonly source: string
  /** The approximate number of instructions of its program. */
  readonly size: number
  /** Whether it contains assertions: `^`, `$`, `\b`, `\B`. */
  readonly looksAround: boolean
}

/** Maximum depth of nested groups. Each level is a recursive call here, and several in the engine. */
const maxDepth = 32

/**
 * Undefined for a malformed expression, and for look-ahead, look-behind and back-references, which no engine with
 * linear time supports. Also for Unicode properties, flags in the expression, and sets that the flags `u` and `v`
 * interpret differently.
 */
export function linearRegExp(text: string): LinearRegExp | undefined {
  const reader = new Reader(text)
  try {
    const { source, size } = reader.alternatives(0)
    return reader.atEnd ? { source, size, looksAround: reader.looksAround } : undefined
  } catch (error) {
    if (error instanceof Unsupported) return undefined
    throw error
  }
}

class Unsupported extends Error {}

interface Node {
  readonly source: string
  readonly size: number
}

const quantifier = /[*+?]|\{(\d+)(,(\d*))?\}/y
const character = /[^\\^$.*+?()[\]{}|]/y
const classOrSet = /\\[dDwWsS]/y
const boundary = /\\[bB]/y
const escaped =
  /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,6})\}|c([A-Za-z])|([tnvfr])|(0)(?!\d)|([\^$\\.*+?()[\]{}|/]))/y
const classCharacter = /[^\\[\]]/y
// With the flag `v`, which the standard requires and the polyfill does not set yet, these are operators or errors.
const doubled = /^(?:\\.|[^\\\]])*?([&!#$%*+,.:;<=>?@^`~-])\1/
const controls: Record<string, number> = { t: 9, n: 10, v: 11, f: 12, r: 13 }

class Reader {
  looksAround = false
  #at = 0
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  get atEnd(): boolean {
    return this.#at === this.#text.length
  }

  alternatives(depth: number): Node {
    if (depth > maxDepth) throw new Unsupported()
    const found = [this.#sequence(depth)]
    while (this.#take(/\|/y)) found.push(this.#sequence(depth))
    return { source: found.map((node) => node.source).join('|'), size: sum(found) + found.length - 1 }
  }

  #sequence(depth: number): Node {
    const found: Node[] = []
    for (let node = this.#term(depth); node; node = this.#term(depth)) found.push(node)
    return { source: found.map((node) => node.source).join(''), size: Math.max(1, sum(found)) }
  }

  #term(depth: number): Node | undefined {
    const assertion = this.#take(/[\^$]/y) ?? this.#take(boundary)
    if (assertion) {
      this.looksAround = true
      return { source: assertion[0], size: 1 }
    }
    const node = this.#group(depth) ?? this.#set() ?? this.#character()
    return node && this.#quantified(node)
  }

  #group(depth: number): Node | undefined {
    if (!this.#take(/\(\?(?::|<[A-Za-z_]\w*>)/y)) return undefined
    const { source, size } = this.alternatives(depth + 1)
    if (!this.#take(/\)/y)) throw new Unsupported()
    return { source: `(?:${source})`, size }
  }

  #character(): Node | undefined {
    const any = this.#take(/\./y) ?? this.#take(classOrSet)
    if (any) return { source: any[0], size: 1 }
    const code = this.#take(character)?.[0].charCodeAt(0) ?? this.#escaped()
    return code === undefined ? undefined : { source: literal(code), size: 1 }
  }

  #quantified(node: Node): Node {
    const found = this.#take(quantifier)
    if (!found) return node
    const [sign, from = sign === '+' ? 1 : 0, comma = sign.length === 1 ? ',' : '', to = sign === '?' ? 1 : ''] = found
    const min = Number(from)
    const max = comma === '' ? min : to === '' ? undefined : Number(to)
    if (max !== undefined && max < min) throw new Unsupported()
    // Laziness changes what a group captures, but not whether the expression matches.
    this.#take(/\?/y)
    return { source: `(?:${node.source})${sign}`, size: repeated(node.size, min, max) }
  }

  #set(): Node | undefined {
    const open = this.#take(/\[\^?/y)
    if (!open) return undefined
    if (doubled.test(this.#text.slice(this.#at))) throw new Unsupported()
    let source = ''
    while (!this.#take(/\]/y)) source += this.#setMember()
    // RE2 has no empty set.
    if (source === '') return { source: open[0] === '[' ? none : all, size: 1 }
    return { source: `${open[0]}${source}]`, size: 1 }
  }

  #setMember(): string {
    const several = this.#take(classOrSet)
    if (several && this.#take(/-(?!\])/y)) throw new Unsupported()
    if (several) return several[0]
    const first = this.#setCharacter()
    if (!this.#take(/-(?!\])/y)) return literal(first)
    const last = this.#setCharacter()
    if (last < first) throw new Unsupported()
    return `${literal(first)}-${literal(last)}`
  }

  #setCharacter(): number {
    const special = this.#take(/\\([b-])/y)
    if (special) return special[1] === 'b' ? 8 : 0x2d
    const code = this.#take(classCharacter)?.[0].charCodeAt(0) ?? this.#escaped()
    if (code === undefined) throw new Unsupported()
    return code
  }

  #escaped(): number | undefined {
    const found = this.#take(escaped)
    if (!found) return undefined
    const [, hex, four, braced, letter, control, zero, syntax] = found
    const digits = hex ?? four ?? braced
    if (digits !== undefined) return Number.parseInt(digits, 16)
    if (letter !== undefined) return letter.charCodeAt(0) % 32
    if (control !== undefined) return controls[control]
    return zero === undefined ? syntax?.charCodeAt(0) : 0
  }

  #take(form: RegExp): RegExpExecArray | undefined {
    form.lastIndex = this.#at
    const found = form.exec(this.#text)
    if (!found) return undefined
    this.#at += found[0].length
    return found
  }
}

const all = '[\\x00-\\x{10FFFF}]'
const none = '[^\\x00-\\x{10FFFF}]'

function literal(code: number): string {
  if (code > 0x10ffff) throw new Unsupported()
  const text = String.fromCodePoint(code)
  return /[A-Za-z0-9]/.test(text) ? text : `\\x{${code.toString(16)}}`
}

function sum(nodes: readonly Node[]): number {
  return nodes.reduce((total, { size }) => total + size, 0)
}

/** A counted repetition is expanded. */
function repeated(size: number, min: number, max: number | undefined): number {
  return max === undefined ? Math.max(1, min) * size + 2 : min * size + (max - min) * (size + 1)
}
