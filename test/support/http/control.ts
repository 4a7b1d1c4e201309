// A stream with a control URL, and requests to change it.
import { type Answer, ask } from './http.ts'
import { listen, type SseClient } from './sse-client.ts'

export interface Controlled {
  readonly client: SseClient
  /** The absolute control URL. */
  readonly control: string
  readonly opening: Opening
  /** Sends a change; text is sent as it is. */
  patch(body: unknown, headers?: Record<string, string>): Promise<Answer>
  /** Sends a change that must be accepted, and returns the data of its confirmation or refusal. */
  change(body: unknown): Promise<Confirmation>
}

/** The data of `tidings:open`. */
export interface Opening {
  readonly control: string
  readonly heartbeat: number
  readonly live: boolean
}

export interface Confirmation {
  readonly event: string
  readonly id: string | undefined
  readonly topics?: readonly string[]
  readonly lastEventId?: string
  readonly request?: string
  readonly code?: string
  readonly gap?: { readonly reason: string; readonly requested: string; readonly resumedAfter: string }
}

const type = { 'Content-Type': 'application/json' }

/** @param base the URL of the hub, with its mount and without a slash */
export async function openControlled(
  base: string,
  query = '',
  headers: Record<string, string> = {}
): Promise<Controlled> {
  const url = `${base}/subscribe?control=1${query && `&${query}`}`
  const client = await listen(url, headers)
  await client.until(({ events }) => events[0]?.event === 'tidings:open', 'tidings:open')
  const opening: Opening = JSON.parse(client.data[0] as string)
  const control = new URL(opening.control, url).href
  const patch: Controlled['patch'] = (body, more = {}) => patchTo(control, body, more)
  const change = async (body: unknown) => {
    const answer = await patch(body)
    if (answer.status !== 202) throw new Error(`got ${answer.status} ${answer.text}`)
    return confirmationOf(client, String(answer.headers['x-request-id']))
  }
  return { client, control, opening, patch, change }
}

export function patchTo(control: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const text = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
  return ask(control, { method: 'PATCH', body: text, headers: { ...type, ...headers } })
}

/** Waits until the stream confirms or refuses the change of a request. */
export async function confirmationOf(client: SseClient, request: string): Promise<Confirmation> {
  const find = () =>
    client.events
      .filter(({ event }) => event === 'tidings:changed' || event === 'tidings:refused')
      .map(({ event = '', id, data }): Confirmation => ({ event, id, ...JSON.parse(data) }))
      .find((found) => found.request === request)
  await client.until(() => find() !== undefined, `the confirmation of ${request}`)
  return find() as Confirmation
}

/** The data of the updates in a stream, without the events of the hub. */
export const updatesOf = ({ events }: SseClient) =>
  events.filter(({ event }) => !event?.startsWith('tidings:')).map(({ data }) => data)
