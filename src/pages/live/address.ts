// The addresses that the page requests and shows in commands.
import { topicBox, typeBox } from './elements.ts'

/** The URL below which the endpoints of the hub are. It ends with a slash. */
export const baseUrl = new URL('.', location.href).href

/** Encodes a value for a query, and leaves allowed characters readable. */
export function encode(text: string): string {
  return encodeURIComponent(text).replace(/%(2F|3A|40)/g, decodeURIComponent)
}

/** The topics as a query with its question mark; empty if there are none. */
export function queryOf(topics: readonly string[]): string {
  const query = topics.map((topic) => `topic=${encode(topic)}`).join('&')
  return query && `?${query}`
}

/** The topic to publish to. */
export function publishTopic(): string {
  return topicBox.value || topicBox.placeholder
}

export function publishPath(): string {
  const type = typeBox.value && `&type=${encode(typeBox.value)}`
  return `publish?topic=${encode(publishTopic())}${type}`
}
