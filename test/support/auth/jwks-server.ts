// Serves a JWK Set, as an authorization server does, and can be made to fail.
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

export interface JwksServer {
  readonly address: string
  /** Number of requests so far. */
  readonly requestCount: number
  keys: unknown[]
  /** Replaces the keys as the response. */
  answer: ((response: ServerResponse) => void) | undefined
  stop(): Promise<void>
}

export async function jwksServer(...keys: unknown[]): Promise<JwksServer> {
  const server = createServer((_, response) => {
    requestCount++
    if (jwks.answer) jwks.answer(response)
    else response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: jwks.keys }))
  })
  let requestCount = 0
  const stop = () =>
    new Promise<void>((resolve) => {
      server.closeAllConnections()
      server.close(() => resolve())
    })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(stop)
  const { port } = server.address() as AddressInfo
  const jwks: JwksServer = {
    address: `http://127.0.0.1:${port}/jwks.json`,
    get requestCount() {
      return requestCount
    },
    keys,
    answer: undefined,
    stop
  }
  return jwks
}
