// The integration suite in NestJS, on Express and on Fastify. Decorators are called as functions, because they need no syntax of their own that way.
import 'reflect-metadata'
import type { AddressInfo } from 'node:net'
import compress from '@fastify/compress'
import { Controller, Get, type INestApplication, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import compression from 'compression'
import type { RequestHandler } from 'express'
import { expect, it } from 'vitest'
import { tidings } from '../../dist/fastify/index.js'
import { createHandler, createHub, type Hub } from '../../dist/index.js'
import { listen } from '../support/http/sse-client.ts'
import { handlerOptions } from '../support/integrations/apps.ts'
import { type App, type AppOptions, integrationSuite } from '../support/integrations/suite.ts'

class OwnController {
  own() {
    return 'own'
  }
}
Controller()(OwnController)
const own = Object.getOwnPropertyDescriptor(OwnController.prototype, 'own') as PropertyDescriptor
Get('own')(OwnController.prototype, 'own', own)

/** Closes the hub before Nest waits for the connections of its server to end. */
function moduleOf(hub: Hub) {
  class HubLifetime {
    onModuleDestroy(): Promise<void> {
      return hub.close()
    }
  }
  class AppModule {}
  Module({ controllers: [OwnController], providers: [HubLifetime] })(AppModule)
  return AppModule
}

async function listening(app: INestApplication): Promise<App> {
  await app.listen(0, '127.0.0.1')
  const { port } = app.getHttpServer().address() as AddressInfo
  return { origin: `http://127.0.0.1:${port}`, close: () => app.close() }
}

async function start(hub: Hub, options: AppOptions, ...before: RequestHandler[]): Promise<App> {
  const app = await NestFactory.create(moduleOf(hub), { logger: false })
  for (const middleware of before) app.use(middleware)
  // Before `listen`, so that it runs before the body parsers of Nest.
  app.use(createHandler(hub, handlerOptions(options)))
  return listening(app)
}

integrationSuite('NestJS', start)

integrationSuite('NestJS behind compression()', (hub, options) => start(hub, options, compression({ threshold: 0 })), {
  compresses: true
})

integrationSuite(
  'NestJS on Fastify, behind @fastify/compress',
  async (hub, { authorize }) => {
    const adapter = new FastifyAdapter()
    const app = await NestFactory.create<NestFastifyApplication>(moduleOf(hub), adapter, { logger: false })
    await app.register(compress, { threshold: 0 })
    await app.register(tidings, {
      hub,
      prefix: '/events',
      ...(authorize && { authorize: ({ headers, topics }) => authorize(headers.cookie, topics) })
    })
    return listening(app)
  },
  { compresses: true }
)

it('app.close ends the streams of NestJS, and does not wait for their clients', async () => {
  const { origin, close } = await start(createHub({ heartbeat: 0 }), {})
  const client = await listen(`${origin}/events/subscribe`)
  await close()
  await client.until(({ ended }) => ended, 'the end of the stream')
  expect(client.status).toBe(200)
})
