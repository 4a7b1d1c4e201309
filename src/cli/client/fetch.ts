// A `fetch` over node:http for the client of tidings: it also connects to Unix sockets, and its errors say what to do.
import type { Agent, IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { isTransient, RefusedError } from '../../client/errors.ts'
import { isUntrusted, reasonOf, refusal } from './failure.ts'
import { open, readText, type Target } from './request.ts'

/** Returns a `fetch` for paths below the target. Answers to a POST are read as a whole, others as they arrive. */
export function fetchFrom(target: Target, agent: Agent | false = false): typeof fetch {
  return async (path, { method = 'GET', headers, body, signal } = {}) => {
    const request = open(target, { method, path: String(path), headers: headers as Record<string, string>, agent })
    const abort = () => void request.destroy(signal?.reason)
    signal?.addEventListener('abort', abort)
    request.once('close', () => signal?.removeEventListener('abort', abort))
    try {
      return await new Promise<Response>((resolve, reject) => {
        request.on('response', (response) => {
          responseOf(response, method === 'POST').then(resolve, reject)
        })
        request.on('error', reject).end(body)
      })
    } catch (error) {
      if (error instanceof RefusedError || signal?.aborted) throw error
      const trouble = `${target.base.href} cannot be reached: ${reasonOf(error as Error)}`
      throw isUntrusted(error as Error) ? new RefusedError(0, 'untrusted', trouble) : new Error(trouble)
    }
  }
}

/** @throws RefusedError if a retry would not help */
async function responseOf(response: IncomingMessage, isRead: boolean): Promise<Response> {
  const { statusCode: status = 0, headers } = response
  const init = { status, headers: { ...(headers as Record<string, string>) } }
  if (status === 200 && !isRead) return new Response(bodyOf(response), init)
  const text = await readText(response)
  if (status === 200) return new Response(text, init)
  if (status === 204) return new Response(null, init)
  const { message } = refusal({ status, headers, text })
  if (!isTransient(status)) throw new RefusedError(status, 'refused', message)
  const retryAfter = headers['retry-after']
  return new Response(message, { status, headers: retryAfter ? { 'Retry-After': retryAfter } : {} })
}

function bodyOf(response: IncomingMessage): ReadableStream<Uint8Array> {
  const chunks = async function* () {
    try {
      yield* response as AsyncIterable<Buffer>
    } catch (error) {
      throw new Error(`the stream was lost: ${reasonOf(error as Error)}`)
    }
  }
  return Readable.toWeb(Readable.from(chunks(), { objectMode: false })) as ReadableStream<Uint8Array>
}
