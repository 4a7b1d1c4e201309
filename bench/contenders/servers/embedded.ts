// A hub in the server that the command line names.
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import { createHandler, createHub } from 'tidings'
import { createFetchHandler } from 'tidings/fetch'
import { listen } from './listen.ts'

const hub = createHub()
const way = process.argv[2]

if (way === 'node:http') listen(createHandler(hub))
else {
  const handler = createFetchHandler(hub)
  const app = new Hono()
  app.all('*', ({ req, env }) => (way === 'Hono, with env' ? handler(req.raw, env) : handler(req.raw)))
  const listener = getRequestListener(app.fetch)
  listen((request, response) => void listener(request, response))
}
