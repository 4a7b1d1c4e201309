// Serves the hub of a test from a route handler of Next.js, in this process.
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createFetchHandler, type FetchHandler } from '../../../dist/fetch/index.js'
import type { Hub } from '../../../dist/index.js'
import type { App, AppOptions } from './suite.ts'

const shared = globalThis as typeof globalThis & { serveHubOfTest?: FetchHandler }

const routes = {
  'suite/events/[...path]/route.js': `
    const serve = (request, context) => globalThis.serveHubOfTest(request, context)
    export { serve as DELETE, serve as GET, serve as HEAD, serve as OPTIONS, serve as PATCH, serve as POST }`,
  'suite/own/route.js': "export const GET = () => new Response('own')"
}

/** Adds the routes of the suite to an app: below /suite, because the app has routes of its own. */
export function addRoutes(folder: string): void {
  for (const [path, code] of Object.entries(routes)) {
    mkdirSync(join(folder, 'app', path, '..'), { recursive: true })
    writeFileSync(join(folder, 'app', path), code)
  }
}

interface NextInstance {
  prepare(): Promise<void>
  getRequestHandler(): RequestListener
  close(): Promise<void>
}

/** The custom server of Next.js, with an app that is built. */
export async function startInProcess(folder: string): Promise<{ server: Server; close: () => Promise<void> }> {
  const next = createRequire(join(folder, 'package.json'))('next') as (options: {
    dev: boolean
    dir: string
  }) => NextInstance
  const instance = next({ dev: false, dir: folder })
  await instance.prepare()
  const server = createServer(instance.getRequestHandler())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = async () => {
    await new Promise((resolve) => server.close(resolve))
    await instance.close()
  }
  return { server, close }
}

/** Makes the route handler serve this hub. The server itself is shared by all tests. */
export async function serveNext(server: Server, hub: Hub, { authorize }: AppOptions): Promise<App> {
  shared.serveHubOfTest = createFetchHandler(hub, {
    basePath: '/suite/events',
    ...(authorize && {
      authorize: ({ request, topics }) => authorize(request.headers.get('cookie') ?? undefined, topics)
    })
  })
  const { port } = server.address() as AddressInfo
  return { origin: `http://127.0.0.1:${port}/suite`, close: async () => {} }
}
