// Matches a topic against a URL pattern [URLPattern] in bounded time. It knows no selector.

/** A URL pattern that topics can be held against. */
export interface UrlPattern {
  /** What it costs to try it on a topic, in variables of a URI template. */
  readonly cost: number
  matches(topic: string): boolean
}

/** Undefined when the pattern is malformed or would take too long to try. */
export function compileUrlPattern(_pattern: string, _base: string): UrlPattern | undefined {
  return undefined
}
