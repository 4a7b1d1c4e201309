// Requests to the endpoints of the dashboard, with the token of the operator.
import { refusalOf } from '../../../client/errors.ts'
import { grant, refuse, token } from './token.ts'

const timeoutMs = 15_000

/** @throws RefusedError, or the error of `fetch`. A refusal for want of a token also opens the token form. */
export async function get<T>(url: URL, signal?: AbortSignal): Promise<T> {
  const used = token.value
  const response = await request('GET', url, signal)
  if (response.ok) {
    grant()
    return (await response.json()) as T
  }
  const refusal = await refusalOf(response)
  // An answer to an older token says nothing about the present one.
  if ((response.status === 401 || response.status === 403) && used === token.value)
    refuse(response.status, refusal.message)
  throw refusal
}

/** @throws RefusedError, or the error of `fetch` */
export async function send(method: 'POST' | 'DELETE', url: URL): Promise<Response> {
  const response = await request(method, url)
  if (response.ok) return response
  throw await refusalOf(response)
}

function request(method: string, url: URL, signal?: AbortSignal): Promise<Response> {
  const headers = { Accept: 'application/json', ...(token.value && { Authorization: `Bearer ${token.value}` }) }
  const timeout = AbortSignal.timeout(timeoutMs)
  return fetch(url, {
    method,
    headers,
    cache: 'no-store',
    signal: signal ? AbortSignal.any([signal, timeout]) : timeout
  })
}
