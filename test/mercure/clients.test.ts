// Third-party clients in Node against our server: each subscribes, is disconnected, and resumes, in both
// dialects.
import { EventSource } from 'eventsource'
import { createEventSource } from 'eventsource-client'
import { describe, expect, it, onTestFinished } from 'vitest'
import { bearer, type Dialect, dialects, fresh, hubPath, serverWith, token } from '../support/http/mercure.ts'
import { type CuttableProxy, cuttableProxy } from '../support/servers/cuttable-proxy.ts'

const server = serverWith()

interface Client {
  readonly name: string
  /** Follows a stream until the test ends, and collects its events. */
  open(url: string, headers: Record<string, string>, push: (data: string) => void): void
}

const clients: Client[] = [
  {
    name: 'eventsource',
    open(url, headers, push) {
      const source = new EventSource(url, {
        fetch: (input, init) => fetch(input, { ...init, headers: { ...init.headers, ...headers } })
      })
      source.onmessage = ({ data }) => push(data)
      onTestFinished(() => source.close())
    }
  },
  {
    name: 'eventsource-client',
    open(url, headers, push) {
      const source = createEventSource({ url, headers, onMessage: ({ data }) => push(data) })
      onTestFinished(() => source.close())
    }
  }
]

async function proxied(): Promise<CuttableProxy> {
  const proxy = await cuttableProxy(server.process.port)
  onTestFinished(() => proxy.close())
  return proxy
}

const streamUrl = (base: string, dialect: Dialect, topic: string) =>
  `${base}${hubPath}?${dialect === '1.0' ? 'match' : 'topic'}=${encodeURIComponent(topic)}`

describe.each(clients)('$name', ({ open }) => {
  it.each(dialects)('resumes after a disconnect without loss, in %s', async (dialect) => {
    const [proxy, topic, seen] = [await proxied(), fresh(), [] as string[]]
    const rights = bearer(await token(dialect, { subscribe: [topic] }))
    open(streamUrl(proxy.url, dialect, topic), rights, (data) => seen.push(data))
    const publish = (data: string) => server.publish(dialect, { topic, data, private: 'on', retry: '50' })
    // Updates published before the stream is open are not delivered, so the first is repeated until it arrives.
    await expect.poll(async () => (await publish('before')) && seen.length).toBeGreaterThan(0)
    await publish('one')
    await expect.poll(() => seen.at(-1)).toBe('one')
    proxy.cut()
    await publish('two')
    await publish('three')
    proxy.mend()
    await publish('four')
    await expect.poll(() => seen.at(-1)).toBe('four')
    expect(seen.filter((data) => data !== 'before')).toEqual(['one', 'two', 'three', 'four'])
  })

  it.each(dialects)('receives no private update without permission, in %s', async (dialect) => {
    const [topic, seen] = [fresh(), [] as string[]]
    const rights = bearer(await token(dialect, { subscribe: ['https://example.com/other'] }))
    open(streamUrl(server.url, dialect, topic), rights, (data) => seen.push(data))
    const publish = async () => {
      await server.publish(dialect, { topic, data: 'private', private: 'on' })
      await server.publish(dialect, { topic, data: 'public' })
      return seen.length
    }
    await expect.poll(publish).toBeGreaterThan(1)
    expect(new Set(seen)).toEqual(new Set(['public']))
  })
})
