// An answer of a language model that another device can resume: the hub keeps it while it is written.
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { createHandler, createHub } from 'tidings'
import { createRuns, runRetention } from 'tidings/ai'

const hub = createHub({ idempotent: 3_600_000, retention: runRetention })
const runs = createRuns(hub)
const serveHub = createHandler(hub, { basePath: '/hub', authorize: ({ action }) => action === 'subscribe' })

/** Stands for a model: it says a word every 100 ms, until it is stopped. */
async function* answer(question, signal) {
  const words =
    `You asked: ${question}. A long answer has many words, and each of them is delivered once, on every device`.split(
      ' '
    )
  for (const word of words) {
    await sleep(Number(process.env.DELAY ?? 100), undefined, { signal })
    yield `${word} `
  }
}

async function ask(request, response) {
  const run = randomUUID()
  await runs.begin(run)
  response.setHeader('Content-Type', 'application/json').end(JSON.stringify({ run }))
  const { status, error } = await runs.write(run, answer(await text(request), runs.signal(run)), { format: 'values' })
  console.log(run, status, error ?? '')
}

const server = createServer((request, response) => {
  serveHub(request, response, async () => {
    const [, run] = /^\/stop\/([\w-]+)$/.exec(request.url) ?? []
    if (request.method !== 'POST') {
      response.setHeader('Content-Type', 'text/html')
      response.end(await readFile(new URL('index.html', import.meta.url)))
    } else if (run) {
      await runs.stop(run)
      response.writeHead(204).end()
    } else await ask(request, response)
  })
})
server.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}`)
})
process.once('SIGTERM', async () => {
  await hub.close()
  server.close()
})
