// What the tail follows. The query of the route holds it, so that a tail can be linked.
import { linkTo, type Route } from '../data/route.ts'
import type { TailStart } from './tail.ts'

export function startOf({ query }: Route): TailStart {
  return { topics: readTopics(query.topics ?? ''), from: query.from ?? '' }
}

export function linkOf({ topics, from }: TailStart): string {
  return linkTo('events', '', { topics: topics.join(', '), from })
}

/** Commas separate topics, except those in the braces of a template. */
export function readTopics(text: string): string[] {
  const parts = text.split(/[\n,](?![^{}\n]*\})/).map((topic) => topic.trim())
  return [...new Set(parts)].filter((topic) => topic !== '')
}
