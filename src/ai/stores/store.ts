// The contract between runs and the hub that keeps them: in this process, or behind a URL.

export interface NewUpdate {
  readonly topics: readonly string[]
  /** By default, the hub chooses one. */
  readonly id?: string
  readonly data: string
  readonly type?: string
  readonly private?: boolean
  readonly end?: boolean
}

export interface StoredUpdate {
  readonly id: string
  readonly topic: string
  /** `message` if it was published without one. */
  readonly type: string
  readonly data: string
  /** When it was published, in milliseconds since 1970, on the clock of the hub. */
  readonly time: number
}

/** The newest update of some topics, and the time at the hub. */
export interface Newest {
  readonly update: StoredUpdate | undefined
  readonly now: number
}

export interface History {
  readonly updates: readonly StoredUpdate[]
  /** The id after which `follow` continues. */
  readonly lastEventId: string
}

export interface FollowOptions {
  readonly topics: readonly string[]
  /** Continue after this id; `earliest` for everything that is kept. */
  readonly from: string
  readonly signal: AbortSignal
  /** Called when the history of the topics was deleted. */
  readonly deleted?: (() => void) | undefined
}

export interface Store {
  /**
   * Appends all updates in one step, and returns their ids. Repeating it with the same key returns the same ids.
   * @throws RunError `taken_over` if the key was used for other updates
   */
  append(updates: readonly NewUpdate[], key: string): Promise<readonly string[]>
  newest(topics: readonly string[]): Promise<Newest>
  /** Everything that is kept of a topic, at the time of the call. */
  history(topic: string): Promise<History>
  /** Ends when all topics have ended, or with the signal. @throws RunError `incomplete` at a gap */
  follow(options: FollowOptions): AsyncIterable<StoredUpdate>
  /** Deletes the history of topics, if there is any. @throws RunError `deletion_disabled` */
  delete(topics: readonly string[]): Promise<void>
  /** Follows everything that a selector matches from now on. `opened` is called once nothing more can be missed. */
  watch(selector: string, signal: AbortSignal, opened: () => void): AsyncIterable<StoredUpdate>
}
