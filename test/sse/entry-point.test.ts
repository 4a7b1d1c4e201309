// The entry point `tidings/sse`: an application writes single events to a response of its own, and clients read them.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { EventSource } from 'eventsource'
import { expect, it, onTestFinished } from 'vitest'
import { encodeEvent, heartbeat } from '../../dist/sse/index.js'

interface Vector {
  readonly name: string
  readonly events: readonly { event?: string; data: string; lastEventId?: string }[]
  readonly retry?: number
}

const vectors = (JSON.parse(readFileSync('test/sse/vectors.json', 'utf8')) as Vector[]).filter(
  ({ events }) => events.length > 0
)

it.each(vectors)('an EventSource reads what encodeEvent wrote: $name', async ({ events, retry }) => {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write(heartbeat)
    for (const { event, data, lastEventId } of events) {
      response.write(encodeEvent({ type: event, id: lastEventId, retry, data }))
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const source = new EventSource(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  onTestFinished(() => {
    source.close()
    server.closeAllConnections()
    server.close()
  })
  const read: unknown[] = []
  for (const type of new Set(events.map(({ event = 'message' }) => event))) {
    source.addEventListener(type, ({ data }) => read.push([type, data]))
  }
  const asLines = (data: string) => data.replace(/\r\n|\r/g, '\n')
  await expect.poll(() => read).toEqual(events.map(({ event = 'message', data }) => [event, asLines(data)]))
})

it('fields that cannot be transmitted are refused', () => {
  expect(() => encodeEvent({ type: 'a\nb', data: '' })).toThrow(RangeError)
  expect(() => encodeEvent({ id: 'a\0b', data: '' })).toThrow(RangeError)
  expect(() => encodeEvent({ retry: -1, data: '' })).toThrow(RangeError)
})
