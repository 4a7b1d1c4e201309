// The topics that the page follows. They are in its address, so a reload keeps them.
import { queryOf } from './address.ts'

let chosen: readonly string[] = new URLSearchParams(location.search).getAll('topic').filter((topic) => topic !== '')

export function followedTopics(): readonly string[] {
  return chosen
}

export function chooseTopics(topics: readonly string[]): void {
  chosen = topics
  history.replaceState(null, '', queryOf(topics) || location.pathname)
}

/** Commas and line ends separate topics, except commas in the braces of a template. */
export function readTopics(text: string): string[] {
  const parts = text.split(/[\n,](?![^{}\n]*\})/).map((topic) => topic.trim())
  return [...new Set(parts)].filter((topic) => topic !== '')
}
