// Notifications for users who have logged in: the app's session decides what the hub delivers.
import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import express from 'express'
import { createHandler, createHub } from 'tidings'

const sessions = new Map()
const hub = createHub({ retention: [{ match: 'users/{name}', last: 20 }] })
const app = express()

// A session as `express-session` would add it.
app.use((request, _, next) => {
  const [, id] = /(?:^|; )session=([^;]+)/.exec(request.headers.cookie ?? '') ?? []
  request.session = sessions.get(id)
  next()
})
app.use(
  createHandler(hub, {
    basePath: '/events',
    authorize({ action, request }) {
      const { session } = request
      if (!session || action !== 'subscribe') return false
      return { readable: [`users/${session.name}`], until: session.until }
    }
  })
)
app.use(express.json())

app.post('/login', (request, response) => {
  const id = randomUUID()
  // A real app checks a password here.
  const name = encodeURIComponent(request.body.name)
  sessions.set(id, { name, until: Date.now() + 3_600_000 })
  response.cookie('session', id, { httpOnly: true, sameSite: 'lax' }).json({ name })
})
app.post('/notify/:name', async (request, response) => {
  const name = encodeURIComponent(request.params.name)
  await hub.publish({ topics: [`users/${name}`], data: request.body.text, private: true })
  response.sendStatus(204)
})
app.use(express.static(fileURLToPath(new URL('page', import.meta.url))))

const server = app.listen(process.env.PORT ?? 3000, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}`)
})
process.once('SIGTERM', async () => {
  await hub.close()
  server.close()
})
