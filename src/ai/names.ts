// The topics of a run, and the types of its last update.

/** How a run ended. */
export type EndStatus = 'done' | 'error' | 'stopped'

export interface RunTopics {
  /** The chunks, and the end. */
  readonly chunks: string
  /** Who writes the run, and that it still does. */
  readonly state: string
  /** Requests to stop it. */
  readonly stop: string
}

const maxTopicBytes = 200

/** @throws TypeError for a run id that is empty or too long */
export function topicsOf(prefix: string, runId: string): RunTopics {
  const chunks = `${prefix}/${encode(runId)}`
  if (runId === '' || chunks.length > maxTopicBytes) {
    throw new TypeError(`a run id must have 1 to ${maxTopicBytes - prefix.length - 1} bytes, percent-encoded`)
  }
  return { chunks, state: `${chunks}/state`, stop: `${chunks}/stop` }
}

/** The selector of all requests to stop a run. */
export function stopsOf(prefix: string): string {
  return `${prefix}/{run}/stop`
}

/** The run of a request to stop. */
export function runOf(prefix: string, stopTopic: string): string {
  return decodeURIComponent(stopTopic.slice(prefix.length + 1, -'/stop'.length))
}

/** Only characters that `{run}` of a URI template matches. */
function encode(runId: string): string {
  return encodeURIComponent(runId).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
}

/** The data of the last update, as in the streams of model providers. Clients for such streams ignore it. */
export const lastData = '[DONE]'

/** The type of the update that announces a deletion. */
const deletedType = 'tidings:deleted'

/** Whether an update announces that the history of its topics was deleted, and not only one update. */
export function isDeletion({ type, data }: { readonly type: string; readonly data: string }): boolean {
  return type === deletedType && (JSON.parse(data) as { through?: string }).through !== undefined
}

const endPrefix = 'run:'

export function endTypeOf(status: EndStatus): string {
  return `${endPrefix}${status}`
}

/** How the run ended, by the type of an update; undefined if it is no end. */
export function endStatusOf(type: string): EndStatus | undefined {
  const status = type.startsWith(endPrefix) && type.slice(endPrefix.length)
  return status === 'done' || status === 'error' || status === 'stopped' ? status : undefined
}
