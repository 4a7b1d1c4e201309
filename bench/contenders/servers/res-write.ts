// A hub in twenty lines, as in many tutorials: no history, no ids, and no limit for slow readers.
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
