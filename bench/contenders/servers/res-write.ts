// A hub in thirty lines, as in many tutorials: no history, no ids, and no limit for slow readers.
import type { ServerResponse } from 'node:http'
import { listen, takePublish, topicOf } from './listen.ts'

const topics = new Map<string, Set<ServerResponse>>()

listen((request, response) => {
  const topic = topicOf(request)
  if (request.method === 'POST') {
    takePublish(request, response, (text) => {
      const event = `data: ${text}\n\n`
      for (const subscriber of topics.get(topic) ?? []) subscriber.write(event)
    })
    return
  }
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' }).flushHeaders()
  const subscribers = topics.get(topic) ?? new Set()
  topics.set(topic, subscribers.add(response))
  response.on('close', () => {
    subscribers.delete(response)
    if (subscribers.size === 0) topics.delete(topic)
  })
})
