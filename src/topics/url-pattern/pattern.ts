// Compiles a URL pattern [URLPattern] to a matcher whose time is limited. A library splits the pattern into components,
// inherits components from the base, and percent-encodes them. It does not match (docs/decisions/0007-url-patterns.md).
import { URLPattern } from 'urlpattern-polyfill/urlpattern'
import { type ComponentMatcher, compileComponent, type Delimiters } from './component.ts'
import { type LinearRegExp, linearRegExp } from './regexp.ts'
import { type Token, tokenize } from './syntax.ts'

/** A compiled URL pattern. */
export interface UrlPattern {
  /** The cost of one match. The unit is that of one variable of a URI template. */
  readonly cost: number
  matches(topic: string): boolean
}

const names = ['protocol', 'hostname', 'port', 'pathname', 'search', 'hash', 'username', 'password'] as const
type Name = (typeof names)[number]
/** The components of a pattern or of a topic. */
type Components = Record<Name, string>

// Limits of patterns, which come from clients. They are checked first.
const maxBytes = 4_096
const maxGroups = 64
/** The library matches the protocol against the special schemes with a regular expression that can backtrack. */
const maxGroupsInProtocol = 4
/** The same limit as that of a template. */
const maxCost = 32
/** This many instructions cost as much as one variable of a template. */
const weightOfUnit = 2

/**
 * Undefined if the pattern is malformed or too expensive.
 * @param base the URL against which relative patterns and topics are resolved; if it is empty, they match nothing
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

/** The cheapest component is matched first. */
function combine(tests: Test[], base: string): UrlPattern | undefined {
  const weight = tests.reduce((sum, { matcher }) => sum + matcher.weight, 0)
  const cost = Math.max(1, Math.ceil(weight / weightOfUnit))
  if (cost > maxCost) return undefined
  const ordered = [...tests].sort((a, b) => a.matcher.weight - b.matcher.weight)
  const matches = (topic: string) => {
    const url = resolve(topic, base)
    return url !== undefined && ordered.every(({ name, matcher }) => matcher.matches(url[name]))
  }
  return { cost, matches }
}

/**
 * A pattern without its regular expressions. The library gets a number in place of each, so that it cannot run them.
 */
interface Draft {
  readonly tokens: readonly Token[]
  /** The number of tokens that belong to the protocol. */
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

/** The protocol ends at the first colon outside braces, which do not nest. A relative pattern has no protocol. */
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

/** The pattern with a number for each regular expression. In a special protocol, an alternative keeps it special. */
function textOf({ tokens, protocolEnd }: Draft, special: boolean): string {
  let count = 0
  const texts = tokens.map(({ type, text }, index) => {
    return type === 'regexp' ? `(${count++}${special && index < protocolEnd ? '|.*' : ''})` : text
  })
  return texts.join('')
}

/**
 * Whether the protocol can be special. Its number matches no scheme, so the library would parse the path without
 * segments.
 */
function hasSpecialAlternative(draft: Draft): boolean {
  const tokens = draft.tokens.slice(0, draft.protocolEnd)
  if (!tokens.some(({ type }) => type === 'regexp')) return false
  const { protocol } = new URLPattern({ protocol: textOf({ ...draft, tokens }, false) })
  return isSpecial(draft, protocol)
}

/** The library replaces an invalid host with this name, instead of refusing it. */
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

/** A cache of one topic, because many patterns are matched against the same topic in a row. */
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
