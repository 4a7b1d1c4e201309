// A chat: browsers publish to the topic of their room, and the hub keeps the newest messages of each room.
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createHandler, createHub } from 'tidings'

const hub = createHub({ retention: [{ match: 'rooms/{room}', last: 50 }] })
const serveHub = createHandler(hub, {
  basePath: '/events',
  maxBody: 1_000,
  publishRate: 5,
  // A real app also looks at the user's session.
  authorize: ({ action, topics }) =>
    action !== 'delete' && topics.every((topic) => typeof topic === 'string' && /^rooms\/\w{1,20}$/.test(topic))
})

const server = createServer((request, response) => {
  serveHub(request, response, async () => {
    response.setHeader('Content-Type', 'text/html')
    response.end(await readFile(new URL('index.html', import.meta.url)))
  })
})
server.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}`)
})
process.once('SIGTERM', async () => {
  await hub.close()
  server.close()
})
