// The hook for one value: the newest data of a topic.
import type { Update } from '../client/index.ts'
import type { Feed } from './feed.ts'
import { type FollowOptions, useFeed } from './use-feed.ts'

export interface UseTopicOptions<T> extends FollowOptions<T> {
  /** The data until an update arrives, such as what the server rendered. */
  readonly initial?: T
}

export interface TopicValue<T> {
  /** The newest data. Undefined before there is any, and after it was deleted. */
  readonly data: T | undefined
  /** The update that brought it, with its id, type and time. Undefined for `initial`. */
  readonly update: Update<T> | undefined
}

/** The newest data of a topic. The component renders again with each update. */
export function useTopic<T = unknown>(topic: string, options: UseTopicOptions<T> = {}): TopicValue<T> {
  const newest = useFeed({ hook: 'useTopic', topics: topic, options, limit: 1, isOnce: false }, newestOf<T>)
  if (newest === 'none') return { data: options.initial, update: undefined }
  return { data: newest?.data, update: newest }
}

/** `none` if nothing has replaced the initial data, undefined if it was deleted. */
function newestOf<T>(feed: Feed<T> | undefined): Update<T> | 'none' | undefined {
  return feed?.hasReplacedInitial ? feed.updates.at(-1) : 'none'
}
