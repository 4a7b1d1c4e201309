// A hub of one better-sse channel with all defaults.
import { createChannel, createSession } from 'better-sse'
import { listen, takePublish } from './listen.ts'

const channel = createChannel()

listen(async (request, response) => {
  if (request.method === 'POST') {
    takePublish(request, response, (text) => channel.broadcast(text))
    return
  }
  channel.register(await createSession(request, response))
})
