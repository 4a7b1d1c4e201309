// Compiles one component of a URL pattern, such as its path, to a matcher whose time is limited.
import { RE2JS, RE2Set } from 're2js'
import type { LinearRegExp } from './regexp.ts'
import { type Part, parseComponent } from './syntax.ts'

export interface ComponentMatcher {
  /** The cost of a match: the number of instructions that can be active at every character. */
  readonly weight: number
  matches(value: string): boolean
}

/** Maximum size of a program, which takes a few milliseconds to compile. */
const maxInstructions = 256
/**
 * The cost of a program in which each character leaves one way to continue. It does not depend on the program's length.
 */
const unambiguousWeight = 2
/** Instructions of every program: fail, match, and an anchor at either end. */
const fixedInstructions = 4
/** Bytes of states that the engine caches between topics. Beyond that, it works without a cache. */
const maxCacheBytes = 32_768

/** The delimiters in a component. Most components have none. */
export interface Delimiters {
  /** The character that ends a segment such as `:name`. */
  readonly segment: '' | '.' | '/'
  /** The character before a group that belongs to it. */
  readonly prefix: '' | '/'
}

/**
 * Undefined if the component is malformed or too expensive.
 * @param regexpOf returns the regular expression for a group of the pattern
 */
export function compileComponent(
  pattern: string,
  delimiters: Delimiters,
  regexpOf: (group: string) => LinearRegExp | undefined
): ComponentMatcher | undefined {
  if (pattern === '*') return { weight: 0, matches: () => true }
  const parts = parseComponent(pattern, delimiters.prefix)
  const pieces = parts?.map((part) => pieceOf(part, delimiters.segment, regexpOf))
  if (!pieces || !isComplete(pieces)) return undefined
  const { prefix, middle, suffix } = split(pieces)
  if (middle.length === 0) return { weight: 0, matches: (value) => value === prefix }
  const engine = compileEngine(middle)
  return engine && { weight: engine.weight, matches: (value) => within(value, prefix, suffix, engine) }
}

function within(value: string, prefix: string, suffix: string, engine: ComponentMatcher): boolean {
  return (
    value.length >= prefix.length + suffix.length &&
    value.startsWith(prefix) &&
    value.endsWith(suffix) &&
    engine.matches(value.slice(prefix.length, value.length - suffix.length))
  )
}

/** A part in the syntax of the engine. */
interface Piece extends LinearRegExp {
  /** The text of a fixed part. */
  readonly text?: string
}

function isComplete(pieces: readonly (Piece | undefined)[]): pieces is Piece[] {
  return !pieces.includes(undefined)
}

/** Fixed text at either end is compared directly. The engine matches only the rest. */
function split(pieces: readonly Piece[]): { prefix: string; middle: readonly Piece[]; suffix: string } {
  if (pieces.some((piece) => piece.looksAround)) return { prefix: '', middle: pieces, suffix: '' }
  const prefix = pieces[0]?.text ?? ''
  const rest = prefix === '' ? pieces : pieces.slice(1)
  const suffix = rest.at(-1)?.text ?? ''
  return { prefix, middle: suffix === '' ? rest : rest.slice(0, -1), suffix }
}

// A parsed URL is ASCII without control characters, so a dot matches any character.
const anything: LinearRegExp = { source: '.*', size: 2, looksAround: false }
const segments: Record<Delimiters['segment'], LinearRegExp> = {
  '': { source: '.+', size: 2, looksAround: false },
  '.': { source: '[^.]+', size: 2, looksAround: false },
  '/': { source: '[^/]+', size: 2, looksAround: false }
}

function pieceOf(
  part: Part,
  segment: Delimiters['segment'],
  regexpOf: (group: string) => LinearRegExp | undefined
): Piece | undefined {
  if (part.kind === 'fixed' && part.modifier === '') return { ...fixed(part.prefix), text: part.prefix }
  if (part.kind === 'fixed') return repeat(fixed(part.prefix), part.modifier)
  const varying =
    part.kind === 'segment'
      ? segments[segment]
      : part.kind === 'anything' || part.regexp === '.*'
        ? anything
        : regexpOf(part.regexp)
  return varying && withModifier(part, varying)
}

function fixed(text: string): LinearRegExp {
  return { source: RE2JS.quote(text), size: text.length, looksAround: false }
}

/** [URLPattern, generate a regular expression] The suffix and the prefix are between two repetitions. */
function withModifier({ prefix, suffix, modifier }: Part, varying: LinearRegExp): LinearRegExp {
  const [before, after] = [fixed(prefix), fixed(suffix)]
  if (modifier === '' || modifier === '?') return repeat(sequence(before, varying, after), modifier)
  if (prefix === '' && suffix === '') return repeat(varying, modifier)
  const more = repeat(sequence(after, before, varying), '*')
  return repeat(sequence(before, varying, more, after), modifier === '*' ? '?' : '')
}

function sequence(...pieces: readonly LinearRegExp[]): LinearRegExp {
  return {
    source: pieces.map(({ source }) => `(?:${source})`).join(''),
    size: pieces.reduce((sum, { size }) => sum + size, 0),
    looksAround: pieces.some(({ looksAround }) => looksAround)
  }
}

function repeat({ source, size, looksAround }: LinearRegExp, modifier: Part['modifier']): LinearRegExp {
  return { source: `(?:${source})${modifier}`, size: size + 2, looksAround }
}

function compileEngine(pieces: readonly Piece[]): ComponentMatcher | undefined {
  const { source, size } = sequence(...pieces)
  // Checked before compiling, which expands counted repetitions.
  if (size > maxInstructions) return undefined
  try {
    const whole = RE2JS.compile(`^(?:${source})$`)
    if (whole.re2().onepass) return { weight: unambiguousWeight, matches: (value) => whole.testExact(value) }
    // Otherwise every instruction can be active at every character.
    return { weight: whole.programSize() - fixedInstructions, matches: cachedMatcher(source) }
  } catch {
    return undefined
  }
}

/** Uses a set with one expression, because only a set has a limit for its cache. */
function cachedMatcher(source: string): (value: string) => boolean {
  const set = new RE2Set(RE2Set.ANCHOR_BOTH, 0, maxCacheBytes)
  set.add(source)
  return (value) => set.match(value).length > 0
}
