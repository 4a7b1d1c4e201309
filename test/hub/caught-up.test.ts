// `tidings:live` through the library: full connections at every write, and the order with changes and ends.
import { describe, expect, it, onTestFinished } from 'vitest'
import { createHub, type Hub, type HubOptions } from '../../dist/index.js'
import { FakeConnection } from '../support/hub/fake-connection.ts'

function open(options: HubOptions = {}): Hub {
  const hub = createHub({ heartbeat: 0, ...options })
  onTestFinished(() => hub.close())
  return hub
}

/** A connection that is full as soon as it has accepted an event with this data or type. */
class FullAfter extends FakeConnection {
  readonly #line: string

  constructor(value: string) {
    super()
    // The whole line: an id is random, and may contain a short text.
    this.#line = `: ${value}\n`
  }

  override write(bytes: Buffer): boolean {
    this.full ||= bytes.includes(this.#line)
    return super.write(bytes)
  }
}

async function join(hub: Hub, connection: FakeConnection, topics = ['a'], lastEventId = 'earliest') {
  const offer = hub.offerControl()
  const subscriber = hub.join(await hub.locate({ topics, lastEventId }), connection, [], { offer })
  return { subscriber, id: offer.id }
}

/** The data of updates, and the types of the events of the hub. */
function seen({ writes }: FakeConnection): string[] {
  const blocks = Buffer.concat(writes).toString().split('\n\n').slice(0, -1)
  return blocks.map((block) => /^event: (.*)/.exec(block)?.[1] ?? /data: (.*)/.exec(block)?.[1] ?? block)
}

async function publish(hub: Hub, ...texts: string[]): Promise<void> {
  for (const data of texts) await hub.publish({ topics: [data.slice(0, 1)], data })
}

describe('hub.isAtHead', () => {
  it('is true for a position with nothing after it in the log', async () => {
    const hub = open()
    const first = await hub.locate({})
    expect(hub.isAtHead(first)).toBe(true)
    await publish(hub, 'a1')
    expect(hub.isAtHead(first)).toBe(false)
    expect(hub.isAtHead(await hub.locate({}))).toBe(true)
    expect(hub.isAtHead(await hub.locate({ lastEventId: 'earliest' }))).toBe(false)
    expect(hub.isAtHead(await open().locate({}))).toBe(false)
  })
})

describe('tidings:live', () => {
  it('is sent once, not again after the client was slow', async () => {
    const hub = open({ window: { entries: 2 } })
    await publish(hub, 'a1', 'a2', 'a3')
    const connection = new FakeConnection()
    const { subscriber } = await join(hub, connection)
    await expect.poll(() => seen(connection)).toEqual(['a1', 'a2', 'a3', 'tidings:live'])
    connection.full = true
    await publish(hub, 'a4', 'a5', 'a6', 'a7')
    await expect.poll(() => subscriber.state).toBe('behind')
    connection.drain()
    await expect.poll(() => seen(connection).slice(4)).toEqual(['a4', 'a5', 'a6', 'a7'])
    expect(subscriber.state).toBe('live')
  })

  it('waits until the connection has drained', async () => {
    const hub = open()
    await publish(hub, 'a1')
    const connection = new FullAfter('a1')
    await join(hub, connection)
    await expect.poll(() => seen(connection)).toEqual(['a1'])
    await publish(hub, 'a2')
    expect(seen(connection)).toEqual(['a1'])
    connection.drain()
    await expect.poll(() => seen(connection)).toEqual(['a1', 'a2', 'tidings:live'])
  })

  it('may fill the connection: then the stream continues after it, and ends only when that has drained', async () => {
    const hub = open()
    await publish(hub, 'a1')
    await hub.publish({ topics: ['a'], data: 'a2', end: true })
    const connection = new FullAfter('tidings:live')
    const { subscriber } = await join(hub, connection)
    await expect.poll(() => connection.full).toBe(true)
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
    expect([subscriber.state, connection.ended]).toEqual(['behind', undefined])
    connection.drain()
    await expect.poll(() => connection.ended).toBe('ended')
    expect(seen(connection).slice(0, 3)).toEqual(['a1', 'a2', 'tidings:live'])
    expect(seen(connection)).toHaveLength(4)
  })

  it('may fill the connection while changes and updates wait', async () => {
    const hub = open()
    await publish(hub, 'a1', 'b1')
    const connection = new FullAfter('tidings:live')
    const { id } = await join(hub, connection)
    await expect.poll(() => connection.full).toBe(true)
    await publish(hub, 'a2', 'b2')
    await hub.change(id, { add: ['b'], from: 'earliest' })
    await publish(hub, 'b3')
    expect(seen(connection)).toEqual(['a1', 'tidings:live'])
    connection.drain()
    const expected = ['a1', 'tidings:live', 'a2', 'b1', 'b2', 'tidings:changed', 'b3']
    await expect.poll(() => seen(connection)).toEqual(expected)
  })

  it('follows changes that were accepted before, also refused ones', async () => {
    const hub = open()
    await publish(hub, 'a1', 'b1')
    const connection = new FullAfter('a1')
    const { id } = await join(hub, connection)
    await expect.poll(() => seen(connection)).toEqual(['a1'])
    await hub.change(id, { remove: ['a'] })
    await hub.change(id, { add: ['b'], from: 'earliest' })
    connection.drain()
    const expected = ['a1', 'tidings:refused', 'b1', 'tidings:changed', 'tidings:live']
    await expect.poll(() => seen(connection)).toEqual(expected)
  })

  it('has the position of the stream', async () => {
    const hub = open()
    await publish(hub, 'a1', 'b1', 'b2')
    const connection = new FakeConnection()
    await join(hub, connection)
    const id = `#${hub.status.epoch}-3`
    await expect.poll(() => seen(connection)).toHaveLength(2)
    expect(String(connection.writes.at(-1))).toBe(`event: tidings:live\nid: ${id}\ndata: {"lastEventId":"${id}"}\n\n`)
  })

  it('is not sent to a stream that begins at the head, or has no control', async () => {
    const hub = open()
    await publish(hub, 'a1')
    const [first, second] = [new FakeConnection(), new FakeConnection()]
    await join(hub, first, ['a'], hub.lastEventId)
    hub.join(await hub.locate({ topics: ['a'], lastEventId: 'earliest' }), second)
    await publish(hub, 'a2')
    await expect.poll(() => [seen(first), seen(second)]).toEqual([['a2'], ['a1', 'a2']])
  })

  it('is not sent to a stream that is closed before it has caught up', async () => {
    const hub = open()
    await publish(hub, 'a1')
    const connection = new FullAfter('a1')
    const { subscriber } = await join(hub, connection)
    await expect.poll(() => seen(connection)).toEqual(['a1'])
    hub.leave(subscriber, 'client')
    connection.drain()
    expect(seen(connection)).toEqual(['a1'])
  })
})
