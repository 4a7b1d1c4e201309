// The topics of revocations. Publishers cannot use them, and no subscriber receives their entries.

/** Below the path of a Mercure hub, where all topics are reserved. */
export const revocationTopics = '/.well-known/mercure/revocations/'

/** Whether these are the topics of a revocation's entry, which is private and has one topic. */
export function isRevocation(topics: readonly string[]): boolean {
  return topics.length === 1 && (topics[0] as string).startsWith(revocationTopics)
}
