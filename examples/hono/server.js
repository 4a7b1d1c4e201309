// A Hono application with a hub: its own session decides who may read and publish, and its own routes publish in process.
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { getCookie, setCookie } from 'hono/cookie'
import { createHub } from 'tidings'
import { createFetchHandler } from 'tidings/fetch'

const hub = createHub()
const userOf = (cookies) => /(?:^|; )user=([a-z]+)/.exec(cookies ?? '')?.[1]

const events = createFetchHandler(hub, {
  basePath: '/events',
  // Everyone who is logged in may read the rooms, and private updates to themselves. Clients publish through the app only.
  authorize: ({ action, request, topics }) => {
    const user = userOf(request.headers.get('cookie'))
    const isAllowed =
      action === 'subscribe' && topics.every((topic) => topic === `users/${user}` || /^rooms\//.test(topic))
    return user !== undefined && isAllowed && { readable: [`users/${user}`] }
  }
})

const app = new Hono()

app.post('/login/:user', (context) => {
  setCookie(context, 'user', context.req.param('user'), { httpOnly: true, sameSite: 'Lax' })
  return context.text('hello')
})

app.post('/rooms/:room', async (context) => {
  const user = getCookie(context, 'user')
  if (!user) return context.text('log in first', 401)
  const topics = [`rooms/${context.req.param('room')}`]
  const { id } = await hub.publish({ topics, data: JSON.stringify({ user, text: await context.req.text() }) })
  return context.json({ id })
})

// With `env`, streams are written by node:http itself, which costs less.
app.all('/events/*', ({ req, env }) => events(req.raw, env))

const port = Number(process.env.PORT ?? 3000)
const server = serve({ fetch: app.fetch, port, hostname: '127.0.0.1' }, () => {
  console.log(`http://127.0.0.1:${server.address().port}`)
})
process.once('SIGTERM', async () => {
  await hub.close()
  server.close()
})
