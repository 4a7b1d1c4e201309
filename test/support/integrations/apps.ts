// Parts of the apps that the integration suite starts.
import type { Server } from 'node:http'
import type { Http2Server } from 'node:http2'
import type { AddressInfo } from 'node:net'
import type { HandlerOptions } from '../../../dist/index.js'
import type { App, AppOptions } from './suite.ts'

/** Options of `createHandler` for an app of the suite. */
export function handlerOptions({ authorize }: AppOptions): HandlerOptions {
  return {
    basePath: '/events',
    ...(authorize && { authorize: ({ headers, topics }) => authorize(headers.cookie, topics) })
  }
}

/** Starts a server, on a free port. It stops when its last connection ends. */
export async function listening(server: Server | Http2Server): Promise<App> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://127.0.0.1:${port}`,
    close: () => new Promise((resolve, reject) => server.close((error) => (error ? reject(error) : resolve())))
  }
}
