// Matches a topic against a URI template [RFC 6570, levels 1 to 3]: can the variables have values with which the
// template expands to the topic? The time is linear in template times topic, whatever a client sends. A regular
// expression could backtrack for hours.

interface Expression {
  /** The text before the first variable, and before each further one. */
  readonly first: string
  readonly separator: string
  /** Whether the name of a variable precedes its value, and whether an empty value keeps the `=`. */
  readonly named: 'no' | 'equals-optional' | 'equals-always'
  /** Whether values may contain reserved characters. */
  readonly reserved: boolean
}

// [RFC 6570, appendix A]
const operators: Record<string, Expression> = {
  '': { first: '', separator: ',', named: 'no', reserved: false },
  '+': { first: '', separator: ',', named: 'no', reserved: true },
  '#': { first: '#', separator: ',', named: 'no', reserved: true },
  '.': { first: '.', separator: '.', named: 'no', reserved: false },
  '/': { first: '/', separator: '/', named: 'no', reserved: false },
  ';': { first: ';', separator: ';', named: 'equals-optional', reserved: false },
  '?': { first: '?', separator: '&', named: 'equals-always', reserved: false },
  '&': { first: '&', separator: '&', named: 'equals-always', reserved: false }
}

type Part = string | { readonly expression: Expression; readonly variables: readonly string[] }

/**
 * A template with more variables is literal text, like a malformed one. Each variable costs one pass over the topic.
 */
const maxVariables = 32
const expressionForm = /^([+#./;?&]?)((?:[A-Za-z0-9_]|%[0-9A-Fa-f]{2})(?:[A-Za-z0-9_.]|%[0-9A-Fa-f]{2}|,(?!,|$))*)$/

/** Splits a template into its parts. Undefined for no expression, an unclosed one, or one of level 4. */
function parse(template: string): Part[] | undefined {
  const parts: Part[] = []
  let at = 0
  let count = 0
  for (let open = template.indexOf('{'); open !== -1; open = template.indexOf('{', at)) {
    const close = template.indexOf('}', open)
    const form = close === -1 ? null : expressionForm.exec(template.slice(open + 1, close))
    const expression = operators[form?.[1] ?? '']
    if (!form || !expression) return undefined
    if (open > at) parts.push(template.slice(at, open))
    const variables = (form[2] ?? '').split(',')
    count += variables.length
    if (count > maxVariables) return undefined
    parts.push({ expression, variables })
    at = close + 1
  }
  if (parts.length === 0 || template.includes('}', at)) return undefined
  if (at < template.length) parts.push(template.slice(at))
  return parts
}

/** A compiled template. */
export interface Template {
  readonly variables: number
  matches(topic: string): boolean
}

/** Undefined if the text is not a template. */
export function compileTemplate(template: string): Template | undefined {
  const parts = parse(template)
  if (!parts) return undefined
  const prefix = typeof parts[0] === 'string' ? parts[0] : ''
  const last = parts.at(-1)
  const suffix = typeof last === 'string' ? last : ''
  return {
    variables: parts.reduce((sum, part) => sum + (typeof part === 'string' ? 0 : part.variables.length), 0),
    matches: (topic) => topic.startsWith(prefix) && topic.endsWith(suffix) && walk(parts, topic)
  }
}

/**
 * The positions that the processed part of a template can reach: byte i is 1 if that part can expand to `topic.slice(0,
 * i)`.
 */
type Reach = Uint8Array

function walk(parts: readonly Part[], topic: string): boolean {
  let reach: Reach = new Uint8Array(topic.length + 1)
  reach[0] = 1
  for (const part of parts) {
    reach =
      typeof part === 'string' ? literal(reach, topic, part) : expand(reach, topic, part.expression, part.variables)
  }
  return reach[topic.length] === 1
}

function literal(from: Reach, topic: string, text: string): Reach {
  if (text === '') return from
  const to = new Uint8Array(from.length)
  for (let at = from.indexOf(1); at !== -1; at = from.indexOf(1, at + 1)) {
    if (topic.startsWith(text, at)) to[at + text.length] = 1
  }
  return to
}

function expand(from: Reach, topic: string, expression: Expression, variables: readonly string[]): Reach {
  // [RFC 6570, 3.2.1] An undefined variable expands to nothing, and the next one is then the first.
  let some: Reach = new Uint8Array(from.length)
  for (const name of variables) {
    const begun = value(literal(from, topic, expression.first), topic, expression, name)
    const continued = value(literal(some, topic, expression.separator), topic, expression, name)
    some = union(some, union(begun, continued))
  }
  return union(from, some)
}

function value(from: Reach, topic: string, { named, reserved }: Expression, name: string): Reach {
  if (named === 'no') return star(from, topic, reserved)
  const full = star(literal(from, topic, `${name}=`), topic, reserved)
  return named === 'equals-always' ? full : union(full, literal(from, topic, name))
}

function star(from: Reach, topic: string, reserved: boolean): Reach {
  const to = from.slice()
  for (let at = to.indexOf(1); at !== -1 && at < topic.length; at = to.indexOf(1, at + 1)) {
    if (isTriplet(topic, at)) to[at + 3] = 1
    else if (isValueCharacter(topic.charCodeAt(at), reserved)) to[at + 1] = 1
  }
  return to
}

function union(a: Reach, b: Reach): Reach {
  const both = a.slice()
  for (let at = b.indexOf(1); at !== -1; at = b.indexOf(1, at + 1)) both[at] = 1
  return both
}

const triplet = /%[0-9A-Fa-f]{2}/y

function isTriplet(topic: string, at: number): boolean {
  if (topic.charCodeAt(at) !== 0x25) return false
  triplet.lastIndex = at
  return triplet.test(topic)
}

const unreservedAndComma = characterSet('-._~,ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789')
const reservedCharacters = characterSet(":/?#[]@!$&'()*+,;=")

function characterSet(characters: string): Uint8Array {
  const set = new Uint8Array(128)
  for (const character of characters) set[character.charCodeAt(0)] = 1
  return set
}

// Topics are often IRIs, so characters beyond ASCII count as unreserved [RFC 3987, 2.2, ucschar].
function isValueCharacter(code: number, reserved: boolean): boolean {
  if (code >= 0xa0) return true
  return unreservedAndComma[code] === 1 || (reserved && reservedCharacters[code] === 1)
}
