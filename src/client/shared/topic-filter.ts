// Which events of a shared stream a member wants.
import { compileTemplate } from '../../topics/uri-template.ts'

/** Returns whether a topic is selected. The rules are those of the hub for `/subscribe`. */
export function topicFilter(selectors: readonly string[]): (topic: string) => boolean {
  const exact = new Set(selectors)
  if (exact.has('*')) return () => true
  const templates = selectors.flatMap((selector) => compileTemplate(selector) ?? [])
  return (topic) => exact.has(topic) || templates.some((template) => template.matches(topic))
}

/** Whether a selector can select a topic with another text. */
export function isPattern(selector: string): boolean {
  return selector === '*' || compileTemplate(selector) !== undefined
}
