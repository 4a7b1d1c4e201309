// An HTTP/2 client for tests, with and without TLS.
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader
} from 'node:http2'
import { onTestFinished } from 'vitest'
import { type ListenOptions, SseClient } from './sse-client.ts'

export interface Http2Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Data received so far. */
  text(): string
  readonly stream: ClientHttp2Stream
}

/** One connection, closed when the test ends. */
export function http2Session(url: string): ClientHttp2Session {
  const session = connect(url, { rejectUnauthorized: false })
  session.on('error', () => {})
  onTestFinished(() => session.destroy())
  return session
}

/** Resolves when the response head has arrived. */
export function http2Ask(
  session: ClientHttp2Session,
  path: string,
  { method = 'GET', body, ...headers }: Record<string, string> = {}
): Promise<Http2Answer> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':path': path, ':method': method, ...headers })
    let text = ''
    stream.setEncoding('utf8')
    stream.on('error', reject)
    stream.on('response', (answer) => {
      resolve({ status: Number(answer[':status']), headers: answer, text: () => text, stream })
      stream.on('data', (chunk: string) => {
        text += chunk
      })
    })
    stream.end(body)
  })
}

/** Opens a stream on a connection of its own, as `listen` does on HTTP/1.1. */
export async function listenHttp2(
  url: string,
  headers: Record<string, string | string[]> = {},
  { method = 'GET', body, signal }: ListenOptions = {}
): Promise<SseClient> {
  const { origin, pathname, search } = new URL(url)
  const session = http2Session(origin)
  const stream = session.request(
    { ...headers, ':path': pathname + search, ':method': method },
    { endStream: !body, ...(signal && { signal }) }
  )
  if (body) stream.end(body)
  const head = await new Promise<IncomingHttpHeaders & IncomingHttpStatusHeader>((resolve, reject) => {
    stream.once('error', reject)
    stream.once('response', resolve)
  })
  return new SseClient(stream, Object.assign(stream, { headers: head, statusCode: head[':status'] }))
}
