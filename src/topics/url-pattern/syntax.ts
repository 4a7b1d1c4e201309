// Parses the syntax of URL patterns [URLPattern]: tokens, and the parts of one component.

/** A token. `text` is its source, `value` its content. */
export interface Token {
  readonly type: 'open' | 'close' | 'regexp' | 'name' | 'char' | 'escaped' | 'asterisk' | 'modifier' | 'invalid'
  readonly value: string
  readonly text: string
}

const signs: Record<string, Token['type']> = {
  '*': 'asterisk',
  '+': 'modifier',
  '?': 'modifier',
  '{': 'open',
  '}': 'close'
}
const nameForm = /:([$_\p{ID_Start}](?:[$_\p{ID_Continue}]|\u200C|\u200D)*)/uy

/** [URLPattern, tokenize], with the policy "lenient". */
export function tokenize(pattern: string): Token[] {
  const tokens: Token[] = []
  for (let at = 0; at < pattern.length; ) {
    const token = tokenAt(pattern, at)
    tokens.push(token)
    at += token.text.length
  }
  return tokens
}

function tokenAt(pattern: string, at: number): Token {
  const text = pattern[at] as string
  if (text === '(') return regexpAt(pattern, at) ?? { type: 'invalid', value: text, text }
  if (text === ':') return nameAt(pattern, at) ?? { type: 'invalid', value: text, text }
  const escaped = text === '\\' ? pattern[at + 1] : undefined
  if (escaped !== undefined) return { type: 'escaped', value: escaped, text: text + escaped }
  return { type: text === '\\' ? 'invalid' : (signs[text] ?? 'char'), value: text, text }
}

function nameAt(pattern: string, at: number): Token | undefined {
  nameForm.lastIndex = at
  const found = nameForm.exec(pattern)
  return found ? { type: 'name', value: found[1] as string, text: found[0] } : undefined
}

/** The standard forbids capturing groups inside, and counts parentheses even inside sets. */
function regexpAt(pattern: string, from: number): Token | undefined {
  if (pattern[from + 1] === '?') return undefined
  let depth = 1
  for (let at = from + 1; at < pattern.length; at += 1) {
    const character = pattern[at] as string
    if (character > '\x7f') return undefined
    if (character === '\\') at += 1
    else if (character === '(' && pattern[at + 1] !== '?') return undefined
    else if (character === '(') depth += 1
    else if (character === ')') depth -= 1
    if (depth === 0) return regexpToken(pattern.slice(from, at + 1))
  }
  return undefined
}

function regexpToken(text: string): Token | undefined {
  return text === '()' ? undefined : { type: 'regexp', value: text.slice(1, -1), text }
}

/** A part of a component: fixed text, or a group with a prefix and a suffix. */
export interface Part {
  /** `anything` is `*`, `segment` is `:name`. A `fixed` part has only a prefix. */
  readonly kind: 'fixed' | 'anything' | 'segment' | 'regexp'
  readonly regexp: string
  readonly prefix: string
  readonly suffix: string
  readonly modifier: '' | '?' | '+' | '*'
}

/** [URLPattern, parse a pattern string] Undefined for a malformed component. */
export function parseComponent(pattern: string, prefixes: string): Part[] | undefined {
  return new ComponentParser(tokenize(pattern), prefixes).parse()
}

class ComponentParser {
  readonly #tokens: readonly Token[]
  readonly #prefixes: string
  readonly #parts: Part[] = []
  #at = 0

  constructor(tokens: readonly Token[], prefixes: string) {
    this.#tokens = tokens
    this.#prefixes = prefixes
  }

  parse(): Part[] | undefined {
    while (this.#at < this.#tokens.length) {
      if (!(this.#withPrefix() || this.#character() || this.#braces())) return undefined
    }
    return this.#parts
  }

  /** `:name`, `*` or a regular expression. A `/` before it belongs to it, so that a modifier applies to both. */
  #withPrefix(): boolean {
    const start = this.#at
    const before = this.#take('char') ?? ''
    const varying = this.#varying()
    if (!varying) {
      this.#at = start
      return false
    }
    const prefix = this.#prefixes.includes(before) ? before : ''
    if (prefix === '') this.#addText(before)
    this.#parts.push({ ...varying, prefix, suffix: '', modifier: this.#modifier() })
    return true
  }

  #character(): boolean {
    const text = this.#take('char') ?? this.#take('escaped')
    if (text === undefined) return false
    this.#addText(text)
    return true
  }

  #braces(): boolean {
    if (this.#take('open') === undefined) return false
    const prefix = this.#text()
    const varying = this.#varying()
    const suffix = this.#text()
    if (this.#take('close') === undefined) return false
    const modifier = this.#modifier()
    if (varying) this.#parts.push({ ...varying, prefix, suffix, modifier })
    else if (modifier === '') this.#addText(prefix + suffix)
    else this.#parts.push({ ...fixed(prefix + suffix), modifier })
    return true
  }

  #varying(): Pick<Part, 'kind' | 'regexp'> | undefined {
    const name = this.#take('name')
    const regexp = this.#take('regexp')
    if (regexp !== undefined) return { kind: 'regexp', regexp }
    if (name !== undefined) return { kind: 'segment', regexp: '' }
    return this.#take('asterisk') === undefined ? undefined : { kind: 'anything', regexp: '' }
  }

  #modifier(): Part['modifier'] {
    return (this.#take('modifier') ?? this.#take('asterisk') ?? '') as Part['modifier']
  }

  #text(): string {
    let text = ''
    for (let next = this.#plain(); next !== undefined; next = this.#plain()) text += next
    return text
  }

  #plain(): string | undefined {
    return this.#take('char') ?? this.#take('escaped')
  }

  #addText(text: string): void {
    const last = this.#parts.at(-1)
    const before = last?.kind === 'fixed' && last.modifier === '' ? this.#parts.pop()?.prefix : ''
    const joined = `${before}${text}`
    if (joined !== '') this.#parts.push(fixed(joined))
  }

  #take(type: Token['type']): string | undefined {
    const token = this.#tokens[this.#at]
    if (token?.type !== type) return undefined
    this.#at += 1
    return token.value
  }
}

function fixed(prefix: string): Part {
  return { kind: 'fixed', regexp: '', prefix, suffix: '', modifier: '' }
}
