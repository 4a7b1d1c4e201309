// A poll: votes go to the app, and every page shows the count as it changes.
import { readFile } from 'node:fs/promises'
import Fastify from 'fastify'
import { createHub } from 'tidings'
import { tidings } from 'tidings/fastify'

const counts = { tea: 0, coffee: 0 }
const hub = createHub({ retention: [{ match: 'poll', last: 1 }] })
const publishCounts = () => hub.publish({ topics: ['poll'], data: JSON.stringify(counts) })

const app = Fastify()
app.register(tidings, {
  hub,
  prefix: '/events',
  // Everyone may watch, and only the app publishes.
  authorize: ({ action }) => action === 'subscribe'
})
app.get('/', async (_, reply) => reply.type('text/html').send(await readFile(new URL('index.html', import.meta.url))))
app.post('/votes/:choice', async ({ params }, reply) => {
  if (!Object.hasOwn(counts, params.choice)) return reply.code(404).send()
  counts[params.choice]++
  await publishCounts()
  return reply.code(204).send()
})

await publishCounts()
console.log(await app.listen({ port: Number(process.env.PORT ?? 3000), host: '127.0.0.1' }))
process.once('SIGTERM', () => app.close())
