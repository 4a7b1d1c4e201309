// Compiles one component of a URL pattern, such as its path, to a test in bounded time. It knows nothing of the other
// components, nor of where the pattern came from.
import { RE2JS, RE2Set } from 're2js'
import type { LinearRegExp } from './regexp.ts'
import { type Part, parseComponent } from './syntax.ts'

export interface ComponentMatcher {
  /** What a test costs, in instructions followed at once. */
  readonly weight: number
  matches(value: string): boolean
}

/** What may be compiled at all, which takes a few milliseconds. */
const maxInstructions = 256
/** Where each character leaves one way to go on, a test costs the same whatever the program's length. */
const unambiguousWeight = 2
/** Of every program: one that fails, one that matches, and an anchor at either end. */
const frame = 4
/** In bytes, of the states that the engine keeps from one topic to the next; when they are full it goes on without. */
const maxMemory = 32_768

/** How a component's parts are delimited; most are not. */
export interface Delimiters {
  /** Where a segment such as `:name` ends. */
  readonly segment: '' | '.' | '/'
  /** What before a group belongs to it. */
  readonly prefix: '' | '/'
}

/** Undefined when it is malformed or too dear. `regexpOf` gives the regular expression that a group in the pattern stands for. */
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

/** One part, ready for the engine; `text` where it is fixed. */
interface Piece extends LinearRegExp {
  readonly text?: string
}

function isComplete(pieces: readonly (Piece | undefined)[]): pieces is Piece[] {
  return !pieces.includes(undefined)
}

/** Fixed text at either end is compared, so that the engine sees only what varies. */
function split(pieces: readonly Piece[]): { prefix: string; middle: readonly Piece[]; suffix: string } {
  if (pieces.some((piece) => piece.looksAround)) return { prefix: '', middle: pieces, suffix: '' }
  const prefix = pieces[0]?.text ?? ''
  const rest = prefix === '' ? pieces : pieces.slice(1)
  const suffix = rest.at(-1)?.text ?? ''
  return { prefix, middle: suffix === '' ? rest : rest.slice(0, -1), suffix }
}

// A URL is ASCII without controls once it is parsed, so that a dot is any character.
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

/** [URLPattern, generate a regular expression] Between repetitions stand both the suffix and the prefix. */
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
  // Looked at first: a counted repetition is written out while it is compiled.
  if (size > maxInstructions) return undefined
  try {
    const whole = RE2JS.compile(`^(?:${source})$`)
    if (whole.re2().onepass) return { weight: unambiguousWeight, matches: (value) => whole.testExact(value) }
    // Otherwise every instruction may be under way at every character.
    return { weight: whole.programSize() - frame, matches: remembering(source) }
  } catch {
    return undefined
  }
}

/** A set of one, because only a set can be told how much it may remember. */
function remembering(source: string): (value: string) => boolean {
  const set = new RE2Set(RE2Set.ANCHOR_BOTH, 0, maxMemory)
  set.add(source)
  return (value) => set.match(value).length > 0
}
