// A live board: the hub keeps the newest score of each team, so it is all the state that the board has.
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createHandler, createHub } from 'tidings'

const hub = createHub({ retention: [{ match: 'scores/{team}', last: 1 }] })
const serveHub = createHandler(hub, {
  basePath: '/events',
  // Everyone may watch. Scores change through the app only.
  authorize: ({ action }) => action === 'subscribe'
})
const teams = ['red', 'green', 'blue']

/** Adds a point. The newest score is read from the hub. */
async function score(team) {
  const topics = [`scores/${team}`]
  const { updates } = await hub.history({ topics, last: 1 })
  const points = Number(updates[0]?.update.data ?? 0) + 1
  await hub.publish({ topics, data: String(points) })
  return points
}

let turn = Promise.resolve()

const server = createServer((request, response) => {
  serveHub(request, response, async () => {
    const [, team] = /^\/scores\/(\w+)$/.exec(request.url) ?? []
    if (request.method === 'POST' && teams.includes(team)) {
      // One after the other, so that no point is lost.
      turn = turn.then(() => score(team))
      response.end(String(await turn))
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
