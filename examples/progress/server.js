// The progress of a long job: each job has a topic, which ends with the job.
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { createHandler, createHub } from 'tidings'

const stepMs = Number(process.env.STEP_MS ?? 500)
const hub = createHub({ retention: [{ match: 'jobs/{id}', last: 1, age: '1h' }] })
const serveHub = createHandler(hub, { basePath: '/events', authorize: ({ action }) => action === 'subscribe' })

async function run(topic) {
  for (let percent = 0; percent < 100; percent += 10) {
    await hub.publish({ topics: [topic], data: `${percent}` })
    await wait(stepMs)
  }
  // The last update of the topic: streams that wait only for it close.
  await hub.publish({ topics: [topic], data: '100', end: true })
}

const server = createServer((request, response) => {
  serveHub(request, response, async () => {
    if (request.method === 'POST' && request.url === '/jobs') {
      const topic = `jobs/${randomUUID()}`
      run(topic).catch(console.error)
      response.end(topic)
    } else {
      response.setHeader('Content-Type', 'text/html')
      response.end(await readFile(new URL('index.html', import.meta.url)))
    }
  })
})
server.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}`)
})
process.once('SIGTERM', async () => {
  await hub.close()
  server.close()
})
