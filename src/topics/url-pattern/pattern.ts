// Matches a topic against a URL pattern [URLPattern] in bounded time. It knows no selector, and leaves to a library what
// becomes of the pattern as text: what is which component, what is inherited from the base, what is percent-encoded.
import { URLPattern } from 'urlpattern-polyfill/urlpattern'
import { type ComponentMatcher, compileComponent, type Delimiters } from './component.ts'
import { type LinearRegExp, linearRegExp } from './regexp.ts'
import { type Token, tokenize } from './syntax.ts'

/** A URL pattern that topics can be held against. */
export interface UrlPattern {
  /** What it costs to try it on a topic, in variables of a URI template. */
  readonly cost: number
  matches(topic: string): boolean
}

const names = ['protocol', 'hostname', 'port', 'pathname', 'search', 'hash', 'username', 'password'] as const
type Name = (typeof names)[number]
/** Texts of patterns, or of a topic. */
type Components = Record<Name, string>

// A pattern may come from a stranger. These are looked at before anything else is done with it.
const maxBytes = 4_096
const maxGroups = 64
/** The library tries the protocol on the names of the special schemes, by a regular expression that can backtrack. */
const maxGroupsInProtocol = 4
/** As much as a template can cost. */
const maxCost = 32
/** So many instructions take as long as one variable of a template. */
const weightOfOne = 2

/**
 * Undefined when the pattern is malformed or would take too long to try.
 * @param base a URL that relative patterns and relative topics are resolved against; with an empty one they have no meaning
 */
export function compileUrlPattern(pattern: string, base: string): UrlPattern | undefined {
  const draft = Buffer.byteLength(pattern) > maxBytes ? undefined : draftOf(pattern)
  const texts = draft && parse(draft, base)
  if (!texts || (draft.protocolEnd > 0 && hasStandIn(texts.hostname, pattern))) return undefined
  const special = isSpecial(draft, texts.protocol)
  const tests = names.map((name) => ({ name, matcher: compileOne(draft, texts[name], delimitersOf(name, special)) }))
  return tests.every(isCompiled) ? combine(tests, base) : undefined
}

interface Test {
  readonly name: Name
  readonly matcher: ComponentMatcher
}

function isCompiled(test: { name: Name; matcher: ComponentMatcher | undefined }): test is Test {
  return test.matcher !== undefined
}

/** The cheapest is asked first. */
function combine(tests: Test[], base: string): UrlPattern | undefined {
  const weight = tests.reduce((sum, { matcher }) => sum + matcher.weight, 0)
  const cost = Math.max(1, Math.ceil(weight / weightOfOne))
  if (cost > maxCost) return undefined
  const ordered = [...tests].sort((a, b) => a.matcher.weight - b.matcher.weight)
  const matches = (topic: string) => {
    const url = resolve(topic, base)
    return url !== undefined && ordered.every(({ name, matcher }) => matcher.matches(url[name]))
  }
  return { cost, matches }
}

/** A pattern whose regular expressions are set aside: the library sees a number for each, and so cannot run them. */
interface Draft {
  readonly tokens: readonly Token[]
  /** How many of the tokens are the protocol. */
  readonly protocolEnd: number
  readonly regexps: readonly LinearRegExp[]
}

function draftOf(pattern: string): Draft | undefined {
  const tokens = tokenize(pattern)
  const protocolEnd = endOfProtocol(tokens)
  if (tokens.filter(isGroup).length > maxGroups) return undefined
  if (tokens.slice(0, protocolEnd).filter(isGroup).length > maxGroupsInProtocol) return undefined
  const regexps: LinearRegExp[] = []
  for (const { type, value } of tokens) {
    const regexp = type === 'regexp' ? linearRegExp(value) : undefined
    if (regexp) regexps.push(regexp)
    else if (type === 'regexp') return undefined
  }
  return { tokens, protocolEnd, regexps }
}

function isGroup({ type }: Token): boolean {
  return type === 'open' || type === 'name' || type === 'regexp' || type === 'asterisk'
}

/** The protocol goes up to the first colon outside braces, which do not nest. A relative pattern has none. */
function endOfProtocol(tokens: readonly Token[]): number {
  let inBraces = false
  for (const [index, { type, value }] of tokens.entries()) {
    if (type === 'open') inBraces = true
    else if (type === 'close') inBraces = false
    else if (!inBraces && type !== 'name' && type !== 'regexp' && value === ':') return index
  }
  return 0
}

function parse(draft: Draft, base: string): Components | undefined {
  try {
    const { protocol, hostname, port, pathname, search, hash, username, password } = new URLPattern(
      textOf(draft, hasSpecialAlternative(draft)),
      base || undefined
    )
    // The library has no default port for this scheme.
    const isDefault = protocol === 'wss' && port === '443'
    return { protocol, hostname, port: isDefault ? '' : port, pathname, search, hash, username, password }
  } catch {
    return undefined
  }
}

/** The text with a number for each regular expression; in a protocol that may be special, with one that may be as well. */
function textOf({ tokens, protocolEnd }: Draft, special: boolean): string {
  let count = 0
  const texts = tokens.map(({ type, text }, index) => {
    return type === 'regexp' ? `(${count++}${special && index < protocolEnd ? '|.*' : ''})` : text
  })
  return texts.join('')
}

/** The number that stands in for it matches no scheme, so that the library would take the path for one without segments. */
function hasSpecialAlternative(draft: Draft): boolean {
  const tokens = draft.tokens.slice(0, draft.protocolEnd)
  if (!tokens.some(({ type }) => type === 'regexp')) return false
  const { protocol } = new URLPattern({ protocol: textOf({ ...draft, tokens }, false) })
  return isSpecial(draft, protocol)
}

/** The library puts this name for a host that is none, instead of refusing it. */
const standIn = 'example.com'

function hasStandIn(hostname: string, given: string): boolean {
  return hostname.includes(standIn) && !given.normalize('NFKC').toLowerCase().includes(standIn)
}

const specialSchemes = ['http', 'https', 'ws', 'wss', 'ftp', 'file']

function isSpecial(draft: Draft, protocol: string): boolean {
  const matcher = compileOne(draft, protocol, delimitersOf('protocol', false))
  return matcher !== undefined && specialSchemes.some((scheme) => matcher.matches(scheme))
}

function compileOne({ regexps }: Draft, text: string, delimiters: Delimiters): ComponentMatcher | undefined {
  return compileComponent(text, delimiters, (group) => regexps[Number.parseInt(group, 10)])
}

/** [URLPattern] The path of a scheme without a hierarchy, such as `urn:`, has no segments. */
function delimitersOf(name: Name, special: boolean): Delimiters {
  if (name === 'hostname') return { segment: '.', prefix: '' }
  return name === 'pathname' && special ? { segment: '/', prefix: '/' } : { segment: '', prefix: '' }
}

/** The newest topic, because many patterns are tried on one topic in a row. */
let newest: { topic: string; base: string; url: Components | undefined } | undefined

function resolve(topic: string, base: string): Components | undefined {
  if (newest?.topic === topic && newest.base === base) return newest.url
  const url = componentsOf(topic, base)
  newest = { topic, base, url }
  return url
}

function componentsOf(topic: string, base: string): Components | undefined {
  try {
    const { protocol, hostname, port, pathname, search, hash, username, password } = new URL(topic, base || undefined)
    const rest = { hostname, port, pathname, username, password }
    return { ...rest, protocol: protocol.slice(0, -1), search: search.slice(1), hash: hash.slice(1) }
  } catch {
    return undefined
  }
}
