// Changing a stream through the library: who may be changed, exact positions while a sweep is pending, and the messages between hubs.
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type Bus, createHub, type Hub, type HubOptions, MemoryLog, type Observer } from '../../dist/index.js'
import { FakeConnection } from '../support/hub/fake-connection.ts'

function open(options: HubOptions = {}): Hub {
  const hub = createHub({ heartbeat: 0, ...options })
  onTestFinished(() => hub.close())
  return hub
}

async function join(hub: Hub, topics: string[], more: object = {}) {
  const connection = new FakeConnection()
  const offer = hub.offerControl()
  const subscriber = hub.join(await hub.locate({ topics, ...more }), connection, [], { offer })
  return { connection, subscriber, id: offer.id }
}

/** The data of updates, and the names of the events of the hub. */
function seen({ writes }: FakeConnection): string[] {
  const blocks = Buffer.concat(writes).toString().split('\n\n').slice(0, -1)
  return blocks.map((block) => /^event: (.*)/.exec(block)?.[1] ?? /data: (.*)/.exec(block)?.[1] ?? '')
}

describe('hub.change', () => {
  it('changes a stream by its subscriber and by its control id', async () => {
    const hub = open()
    const { connection, subscriber, id } = await join(hub, ['a'])
    await hub.change(subscriber, { add: ['b'] })
    await hub.change(id, { remove: ['a'], request: 'mine' })
    // A change is accepted first, and takes effect a moment later.
    await expect.poll(() => subscriber.selectors).toEqual(['b'])
    expect(connection.data.map((data) => JSON.parse(data))).toEqual([
      { topics: ['a', 'b'], lastEventId: `#${hub.status.epoch}-0` },
      { topics: ['b'], lastEventId: `#${hub.status.epoch}-0`, request: 'mine' }
    ])
    expect(await hub.subjectOf(id)).toBeUndefined()
    expect(hub.status.audiences).toBe(1)
  })

  it('refuses streams without control, that have ended, and malformed ids', async () => {
    const hub = open()
    const { subscriber, id } = await join(hub, ['a'])
    const plain = hub.join(await hub.locate({}), new FakeConnection())
    hub.leave(subscriber, 'client')
    for (const target of [plain, subscriber, id, '', 'x', `${'n'.repeat(33)}.${'s'.repeat(32)}`]) {
      await expect(hub.change(target, { add: ['b'] })).rejects.toMatchObject({ code: 'not_found' })
    }
    await expect(hub.change(id, {})).rejects.toMatchObject({ code: 'change_invalid' })
  })

  it('is exact while entries wait for a sweep, and while a sweep is in progress', async () => {
    const hub = open({ batchBytes: 1 })
    const members = await Promise.all(Array.from({ length: 40 }, () => join(hub, ['a'])))
    const publish = async (data: string) => {
      await hub.publish({ topics: ['a'], data })
      await hub.publish({ topics: ['b'], data: `b${data}` })
    }
    for (let number = 0; number < 10; number++) {
      await publish(String(number))
      const one = members[number]
      if (one) await hub.change(one.subscriber, { add: ['b'] })
    }
    await publish('end')
    await expect.poll(() => members.every(({ connection }) => seen(connection).includes('end'))).toBe(true)
    const changed = members.slice(0, 10)
    await expect.poll(() => changed.every(({ connection }) => seen(connection).at(-1) === 'bend')).toBe(true)
    for (const [at, { connection }] of members.entries()) {
      const found = seen(connection)
      const all = Array.from({ length: 10 }, (_, number) => [String(number), `b${number}`]).flat()
      const expected = [...all, 'end', 'bend'].filter(
        (data) => !data.startsWith('b') || (at < 10 && !isBefore(data, at))
      )
      expect(found.filter((name) => name !== 'tidings:changed')).toEqual(expected)
    }
    function isBefore(data: string, at: number): boolean {
      return Number(data.slice(1)) <= at
    }
  })

  it('does not write to a full connection, and never loses what it holds back', async () => {
    const hub = open()
    const { connection, subscriber } = await join(hub, ['a'])
    connection.full = true
    await hub.publish({ topics: ['a'], data: '1' })
    await expect.poll(() => seen(connection)).toEqual(['1'])
    await hub.publish({ topics: ['b'], data: 'b1' })
    await hub.change(subscriber, { add: ['b'], from: 'earliest' })
    await hub.publish({ topics: ['b'], data: 'b2' })
    expect(seen(connection)).toEqual(['1'])
    connection.drain()
    await expect.poll(() => seen(connection)).toEqual(['1', 'b1', 'tidings:changed', 'b2'])
  })

  it('counts replayed updates as delivered', async () => {
    const hub = open()
    const { connection, subscriber } = await join(hub, ['a'])
    for (const data of ['b1', 'b2']) await hub.publish({ topics: ['b'], data })
    await hub.change(subscriber, { add: ['b'], from: 'earliest' })
    await expect.poll(() => seen(connection)).toEqual(['b1', 'b2', 'tidings:changed'])
    expect(subscriber.delivered).toBe(2)
  })

  it('forgets removed selectors, however many there were', async () => {
    const hub = open()
    const { subscriber, connection } = await join(hub, ['a'])
    await hub.publish({ topics: ['b'], data: 'b1' })
    for (let number = 0; number < 3_000; number++) {
      await hub.change(subscriber, { add: [`n${number}`], ...(number > 0 && { remove: [`n${number - 1}`] }) })
      // On a busy machine a turn of catch-up may be over, and the next one needs the event loop.
      while (subscriber.state !== 'live') await new Promise((resolve) => setImmediate(resolve))
    }
    await hub.change(subscriber, { add: ['b'], from: 'earliest' })
    await expect.poll(() => seen(connection).filter((name) => name === 'b1')).toHaveLength(1)
    expect([subscriber.selectors, hub.status.audiences]).toEqual([['a', 'b', 'n2999'], 1])
  })

  it('moves the deadline of a stream with its rights', async () => {
    const hub = open()
    const until = Date.now() + 1_000
    const { connection, subscriber } = await join(hub, ['a'], { until })
    await hub.change(subscriber, { granted: { readable: [], until: Date.now() + 60_000 } })
    await sleep(until + 200 - Date.now())
    expect(connection.ended).toBeUndefined()
    await hub.change(subscriber, { granted: { readable: [], until: Date.now() - 1 } })
    expect(connection.ended).toBe('expired')
  })

  it('is revoked by its newest token, and not by the one before', async () => {
    const hub = open()
    const granted = (jti: string) => ({
      readable: [],
      until: Number.POSITIVE_INFINITY,
      subject: 'ann',
      token: { subject: 'ann', jti }
    })
    const { connection, subscriber } = await join(hub, ['a'])
    await hub.change(subscriber, { granted: granted('old') })
    await hub.change(subscriber, { granted: granted('new') })
    await expect.poll(() => seen(connection)).toEqual(['tidings:changed', 'tidings:changed'])
    await hub.revoke({ jti: 'old' })
    expect(connection.ended).toBeUndefined()
    await hub.revoke({ jti: 'new' })
    expect(connection.ended).toBe('revoked')
  })

  it('refuses a revoked token and a revoked topic, and goes on', async () => {
    const hub = open()
    const { connection, subscriber } = await join(hub, ['a'])
    await hub.revoke({ topic: 'b', until: Date.now() + 60_000 })
    await hub.revoke({ jti: 'x' })
    await hub.change(subscriber, { add: ['b'] })
    await hub.change(subscriber, { granted: { readable: [], until: Number.POSITIVE_INFINITY, token: { jti: 'x' } } })
    await hub.change(subscriber, { add: ['c'] })
    await expect.poll(() => seen(connection)).toEqual(['tidings:refused', 'tidings:refused', 'tidings:changed'])
    expect(connection.data.map((data) => (JSON.parse(data) as { code?: string }).code)).toEqual([
      'revoked',
      'token_revoked',
      undefined
    ])
    expect(subscriber.selectors).toEqual(['a', 'c'])
  })

  it('ends when the topics that are left have ended, and replays ends and what deletions left', async () => {
    const hub = open()
    await hub.publish({ topics: ['b'], data: 'b1' })
    await hub.publish({ topics: ['b'], data: 'b2' })
    await hub.delete({ id: `#${hub.status.epoch}-1` })
    await hub.publish({ topics: ['b'], data: '', end: true })
    const { connection, subscriber } = await join(hub, ['a'])
    await hub.change(subscriber, { add: ['b'], from: 'earliest' })
    await expect.poll(() => seen(connection)).toEqual(['b2', 'tidings:deleted', 'tidings:end', 'tidings:changed'])
    expect(connection.ended).toBeUndefined()
    await hub.change(subscriber, { remove: ['a'] })
    await expect.poll(() => connection.ended).toBe('ended')
  })

  it('reports changes to observers', async () => {
    const reports: unknown[] = []
    const observer: Observer = {
      changed: ({ selectors }, before) => reports.push([before, selectors]),
      changeRefused: (code) => reports.push(code)
    }
    const hub = open({ observer })
    const { subscriber } = await join(hub, ['a'])
    await hub.change(subscriber, { add: ['b'] })
    await hub.change(subscriber, { remove: ['a', 'b'] })
    await expect.poll(() => reports).toEqual([[['a'], ['a', 'b']], 'selector_missing'])
  })
})

describe('hubs with a bus', () => {
  /** Two logs with a bus between them; `lost` says which messages do not arrive. */
  function pair(
    lost: (message: string) => boolean = () => false
  ): [MemoryLog & { bus: Bus }, MemoryLog & { bus: Bus }] {
    const takes = new Map<string, (message: string) => void>()
    const withBus = (node: string) => {
      const bus: Bus = {
        node,
        onMessage: (take) => void takes.set(node, take),
        send: async (to, message) => {
          const take = takes.get(to)
          if (take && !lost(message)) setImmediate(() => take(message))
          return take !== undefined
        }
      }
      return Object.assign(new MemoryLog(), { bus })
    }
    return [withBus('one'), withBus('two')]
  }

  it('pass a change to the hub that has the stream, with all its members and without its secret', async () => {
    const messages: string[] = []
    const [first, second] = pair((message) => messages.push(message) === 0)
    const [one, two] = [open({ log: first }), open({ log: second })]
    const { subscriber, id } = await join(one, ['a'])
    const granted = { readable: ['x', { match: 'y{', type: 'exact' as const }], until: Infinity, subject: 'ann' }
    await two.change(id, { add: ['b'], granted, request: 'r' })
    expect(subscriber.selectors).toEqual(['a', 'b'])
    expect(await two.subjectOf(id)).toBe('ann')
    expect(messages.join('')).not.toContain(id.split('.')[1])
    await expect(two.change(`nobody.${id.split('.')[1]}`, { add: ['c'] })).rejects.toMatchObject({ code: 'not_found' })
    one.leave(subscriber, 'client')
    await expect(two.change(id, { add: ['c'] })).rejects.toMatchObject({ code: 'not_found' })
  })

  it('wait two seconds for an answer', async () => {
    const [first, second] = pair((message) => message.includes('answer'))
    const [one, two] = [open({ log: first }), open({ log: second })]
    const { id } = await join(one, ['a'])
    const startedAt = performance.now()
    await expect(two.change(id, { add: ['b'] })).rejects.toMatchObject({ code: 'control_unavailable', status: 503 })
    expect(performance.now() - startedAt).toBeGreaterThan(1_900)
    const waiting = two.change(id, { add: ['b'] })
    await two.close()
    await expect(waiting).rejects.toMatchObject({ code: 'closed' })
  })

  it('ignore messages that they do not know, and report malformed ones', async () => {
    const failures: unknown[] = []
    const [first, second] = pair()
    open({ log: first, observer: { failed: (error) => failures.push(error) } })
    for (const message of ['{"type":"newer"}', '{"type":"control-answer","id":"x"}', 'null', '{']) {
      await second.bus.send('one', message)
    }
    await expect.poll(() => failures.length).toBe(2)
  })
})
