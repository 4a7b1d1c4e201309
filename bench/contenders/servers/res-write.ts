// A hub in twenty lines, the way tutorials write it; it has no history, no ids and no thought for slow readers.
import type { ServerResponse } from 'node:http'
import { listen, takePublish } from './listen.ts'

const subscribers = new Set<ServerResponse>()

listen((request, response) => {
  if (request.method === 'POST') {
    takePublish(request, response, (text) => {
      const event = `data: ${text}\n\n`
      for (const subscriber of subscribers) subscriber.write(event)
    })
    return
  }
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' }).flushHeaders()
  subscribers.add(response)
  response.on('close', () => subscribers.delete(response))
})
