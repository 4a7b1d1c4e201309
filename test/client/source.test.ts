// TidingsSource has the interface of EventSource, reads what the standard defines, and survives what ends an EventSource.
import { readFileSync } from 'node:fs'
import { describe, expect, it, onTestFinished } from 'vitest'
import { TidingsSource } from '../../dist/client/index.js'
import { scriptedServer, stream } from '../support/client/scripted-server.ts'

interface Vector {
  readonly name: string
  readonly wire: string
  readonly events: readonly { event?: string; data: string; lastEventId?: string }[]
}

const vectors = JSON.parse(readFileSync('test/sse/vectors.json', 'utf8')) as Vector[]

function open(url: string) {
  const source = new TidingsSource(url)
  onTestFinished(() => source.close())
  return source
}

describe('it reads the vectors of the standard', () => {
  it.each(vectors)('$name', async ({ wire, events }) => {
    const bytes = Buffer.from(wire, 'base64')
    const server = await scriptedServer((response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders()
      if (bytes.length > 0) response.write(bytes)
      else response.write(':\n\n')
    })
    const source = open(server.url)
    const got: MessageEvent[] = []
    for (const type of new Set(['message', ...events.flatMap(({ event }) => event ?? [])])) {
      source.addEventListener(type, (event) => got.push(event as MessageEvent))
    }
    await expect.poll(() => source.readyState).toBe(1)
    await expect.poll(() => got.length).toBe(events.length)
    expect(got.map(({ type, data }) => ({ type, data }))).toEqual(
      events.map(({ event = 'message', data }) => ({ type: event, data }))
    )
    for (const [index, { lastEventId }] of events.entries()) {
      if (lastEventId !== undefined) expect(got[index]?.lastEventId).toBe(lastEventId)
    }
  })
})

it('survives a 502, and resumes with Last-Event-ID', async () => {
  const server = await scriptedServer((response, _, count) => {
    if (count === 1) response.writeHead(502).end('<h1>Bad gateway</h1>')
    else stream(response, count === 0 ? 'id: ä\nevent: order\ndata: 1\n\n' : 'event: order\ndata: 2\n\n')
    if (count === 0) response.end()
  })
  const source = open(`${server.url}/orders?x=1`)
  const got: string[] = []
  const errors: number[] = []
  source.addEventListener('order', (event) => got.push((event as MessageEvent).data))
  source.onerror = () => errors.push(source.readyState)
  await expect.poll(() => got).toEqual(['1', '2'])
  expect(errors).toEqual([0, 0])
  expect(server.requests.map(({ url }) => url)).toEqual(['/orders?x=1', '/orders?x=1', '/orders?x=1'])
  expect(Buffer.from(server.requests[2]?.headers['last-event-id'] as string, 'latin1').toString()).toBe('ä')
})

it('204 closes it with one error event, and close() with none', async () => {
  const server = await scriptedServer((response) => response.writeHead(204).end())
  const source = open(server.url)
  let errors = 0
  source.onerror = () => errors++
  await expect.poll(() => source.readyState).toBe(2)
  expect(errors).toBe(1)
  expect(source.state).toEqual({ status: 'closed', reason: 'ended' })
})

it('an invalid URL is a SyntaxError, as in a browser', () => {
  expect(() => new TidingsSource('http://')).toThrow(expect.objectContaining({ name: 'SyntaxError' }))
})
