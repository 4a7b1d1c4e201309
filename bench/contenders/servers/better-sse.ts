// A hub of better-sse channels with all defaults, one for each topic.
import { type Channel, createChannel, createSession } from 'better-sse'
import { listen, takePublish, topicOf } from './listen.ts'

const channels = new Map<string, Channel>()

function channelOf(topic: string): Channel {
  const channel = channels.get(topic) ?? createChannel()
  channels.set(topic, channel)
  return channel
}

listen(async (request, response) => {
  const channel = channelOf(topicOf(request))
  if (request.method === 'POST') {
    takePublish(request, response, (text) => channel.broadcast(text))
    return
  }
  channel.register(await createSession(request, response))
})
