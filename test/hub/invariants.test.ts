// The invariants of ARCHITECTURE.md, one by one, each in a few lines, over a log of this process and over that of a primary process.
// The random histories test all of them together.
import { setImmediate as tick } from 'node:timers/promises'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { Frame } from '../../dist/hub/delivery/frame.js'
import {
  type CloseReason,
  type HubOptions,
  type Log,
  MemoryLog,
  type RetentionRule,
  type SubscribeRequest
} from '../../dist/index.js'
import { compile } from '../../dist/topics/matcher.js'
import { openHub } from '../support/hub/open-hub.ts'
import { serveLog } from '../support/log/workers.ts'

/** A sweep runs on `setImmediate`, and yields to a second one when it takes long. */
async function sweepsAreDone(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await tick()
}

afterEach(() => {
  vi.restoreAllMocks()
})

interface Retention {
  readonly entries?: number
  readonly retention?: readonly RetentionRule[]
}

const logs: [string, (kept?: Retention) => Promise<Log>][] = [
  ['a MemoryLog', async (kept = {}) => new MemoryLog(kept)],
  ['a WorkerLog', async (kept = {}) => (await serveLog(new MemoryLog(kept))).connect()]
]

describe.each(logs)('a hub over %s', (_, newLog) => {
  /** A hub is closed after its test. */
  const open = async ({ retention, log, ...options }: HubOptions = {}) =>
    openHub({ ...options, log: log ?? (await newLog(retention && { retention })) })

  describe('1. a subscriber receives entries only from the tail of the log', () => {
    it('delivers entries that another process appended', async () => {
      const log = await newLog()
      const { join } = await open({ log })
      const { connection } = await join()
      await log.append([{ topics: ['t'], data: 'from another node' }])
      await expect.poll(() => connection.data).toEqual(['from another node'])
    })

    it('does not deliver an update that the log rejected', async () => {
      const log = await newLog()
      const { join, publish } = await open({ log })
      const { connection } = await join()
      log.append = () => Promise.reject(new Error('disk full'))
      await expect(publish('lost')).rejects.toThrow('disk full')
      await sweepsAreDone()
      expect(connection.data).toEqual([])
    })
  })

  describe('2. entries are delivered in order, each once', () => {
    it('sends an update with several matching topics once', async () => {
      const { join, publish } = await open()
      const { connection } = await join({ topics: ['a', 'b', '{any}', '*'] })
      await publish('once', 'a', 'b', 'c')
      await publish('end', 'a')
      await expect.poll(() => connection.data).toEqual(['once', 'end'])
    })

    it('delivers in the same order on two hubs that share a log', async () => {
      const log = await newLog()
      const [one, two] = [openHub({ log }), openHub({ log })]
      const [here, there] = [await one.join(), await two.join()]
      await Promise.all(Array.from({ length: 50 }, (_, index) => (index % 2 ? one : two).publish(String(index))))
      await expect.poll(() => there.connection.data.length).toBe(50)
      expect(here.connection.data).toEqual(there.connection.data)
    })
  })

  describe('3. durable before visible', () => {
    it('delivers an entry only after its append has resolved', async () => {
      const log = await newLog()
      let durable = () => {}
      const append = log.append.bind(log)
      log.append = async (updates) => {
        await new Promise<void>((resolve) => {
          durable = resolve
        })
        return append(updates)
      }
      const { join, publish } = await open({ log })
      const { connection } = await join()
      const published = publish('kept')
      await sweepsAreDone()
      expect(connection.data).toEqual([])
      durable()
      await published
      await expect.poll(() => connection.data).toEqual(['kept'])
    })
  })

  describe('4. live means caught up', () => {
    it('turns live in the same tick in which it reaches the end of the window', async () => {
      const { join, publish } = await open()
      for (let number = 0; number < 100; number++) await publish(String(number))
      const { connection, subscriber } = await join({ last: 60 })
      await expect.poll(() => subscriber.state).toBe('live')
      expect(connection.data.length).toBe(60)
    })

    it('replays everything the log keeps, not only the window', async () => {
      const { join, publish } = await open({ retention: [{ match: 'price', last: 1 }] })
      for (const price of ['1', '2', '3']) await publish(price, 'price')
      const { connection } = await join({ lastEventId: 'earliest' })
      await expect.poll(() => connection.data).toEqual(['3'])
    })

    it('reports no gap for entries removed before a client requests all retained entries', async () => {
      const { join, publish } = await open({ retention: [{ match: 'a', entries: 1 }, { match: '*' }] })
      for (const topic of ['b', 'a', 'a', 'b']) await publish(topic, topic)
      const all = await join({ lastEventId: 'earliest' })
      const newest = await join({ last: 3 })
      await expect.poll(() => all.connection.data).toEqual(['b', 'a', 'b'])
      await expect.poll(() => newest.connection.data).toEqual(['b', 'a', 'b'])
      expect([all.connection.ended, newest.connection.ended]).toEqual([undefined, undefined])
    })

    it('sends each retained entry once when the lost entries lie between retained ones', async () => {
      const { hub, join, publish } = await open({ retention: [{ match: 'a', entries: 1 }, { match: '*' }] })
      for (const topic of ['b', 'b', 'a', 'b', 'a', 'b']) await publish(topic, topic)
      const lastEventId = `#${hub.status.epoch}-2`
      const place = await hub.locate({ lastEventId })
      expect(place.gap).toEqual({ requested: lastEventId, resumedAfter: lastEventId, reason: 'trimmed' })
      const { connection } = await join({ lastEventId })
      await expect.poll(() => connection.data).toEqual(['b', 'a', 'b'])
    })

    it('reads entries that left the window from the log during publishing', async () => {
      const { join, publish } = await open({ window: { entries: 5 } })
      for (let number = 0; number < 3_000; number++) await publish(String(number))
      const { connection } = await join({ lastEventId: 'earliest' })
      for (let number = 3_000; number < 3_200; number++) {
        await publish(String(number))
        if (number % 20 === 0) await tick()
      }
      await expect.poll(() => connection.data.length).toBe(3_200)
      expect(connection.data).toEqual(Array.from({ length: 3_200 }, (_, number) => String(number)))
    })
  })

  describe('5. no queue per subscriber', () => {
    it('writes nothing to a full connection, and everything in order after it drains', async () => {
      const { join, publish } = await open()
      const { connection, subscriber } = await join()
      connection.full = true
      await publish('0')
      await expect.poll(() => subscriber.state).toBe('behind')
      for (let number = 1; number < 50; number++) await publish(String(number))
      await sweepsAreDone()
      expect(connection.data).toEqual(['0'])
      connection.drain()
      // On a busy machine, the catch-up may take several turns.
      await expect.poll(() => subscriber.state).toBe('live')
      expect(connection.data).toEqual(Array.from({ length: 50 }, (_, number) => String(number)))
    })

    it('closes a connection with reason slow when it stays full for longer than slowTimeout', async () => {
      const { hub, join, publish } = await open({ slowTimeout: 40 })
      const { connection } = await join()
      connection.full = true
      await publish('0')
      await expect.poll(() => connection.ended).toBe('slow')
      expect(hub.status).toMatchObject({ subscribers: 0, audiences: 0 })
    })

    it('keeps a slow connection that makes progress', async () => {
      const { join, publish } = await open({ slowTimeout: 40 })
      const { connection, subscriber } = await join()
      let waiting = 1_000
      vi.spyOn(connection, 'buffered', 'get').mockImplementation(() => waiting)
      connection.full = true
      const reading = setInterval(() => waiting--, 1)
      await publish('0')
      await expect.poll(() => subscriber.full && subscriber.age > 200).toBe(true)
      expect(connection.ended).toBeUndefined()
      clearInterval(reading)
      await expect.poll(() => connection.ended).toBe('slow')
    })

    it('bounds the backlog of an audience that sweeps cannot keep up with', async () => {
      const { join, publish } = await open({ window: { bytes: 100_000 }, batchBytes: 1 })
      const { connection, subscriber } = await join()
      for (let number = 0; number < 1_000; number++) void publish(`${number} ${'x'.repeat(500)}`)
      await publish('end')
      // A live subscriber must receive all of them; one that is behind reads them from the window.
      expect(subscriber.state).toBe('behind')
      await expect.poll(() => connection.data.length).toBe(1_001)
    })
  })

  describe('6. never skip silently', () => {
    it('closes a subscriber with reason gap when it falls behind the retained entries', async () => {
      const { join, publish } = await open({ log: await newLog({ entries: 10 }), window: { entries: 5 } })
      const { connection } = await join()
      connection.full = true
      await publish('0')
      await expect.poll(() => connection.writes.length).toBe(1)
      for (let number = 1; number < 50; number++) await publish(String(number))
      connection.drain()
      await expect.poll(() => connection.ended).toBe('gap')
      expect(connection.data).toEqual(['0'])
    })

    it.each([
      ['unknown', 'nobody', 20],
      ['epoch', '#old-4', 10],
      ['trimmed', (epoch: string) => `#${epoch}-5`, 10]
    ])('reports a gap with reason %s and the position where the stream starts', async (reason, id, after) => {
      const { hub, publish } = await open({ log: await newLog({ entries: 10 }) })
      for (let number = 0; number < 20; number++) await publish(String(number))
      const { epoch } = hub.status
      const requested = typeof id === 'string' ? id : id(epoch)
      const resumedAfter = `#${epoch}-${after.toString(36)}`
      const place = await hub.locate({ lastEventId: requested })
      expect(place.gap).toEqual({ requested, resumedAfter, reason })
      expect(place).toMatchObject({ after, id: resumedAfter })
    })

    it('closes every subscriber with reason gap when the log starts a new epoch', async () => {
      const log = await newLog()
      let deliver: Parameters<typeof log.follow>[0] = () => {}
      log.follow = async (follower) => {
        deliver = follower
      }
      const { hub, join } = await open({ log })
      const { connection } = await join()
      deliver([{ epoch: 'other', offset: 1, id: '#other-1', time: 0, update: { topics: ['t'], data: '' } }])
      expect(connection.ended).toBe('gap' satisfies CloseReason)
      expect(hub.status).toMatchObject({ epoch: 'other', head: 1, subscribers: 0 })
    })
  })

  describe('7. a frame is encoded at most once per encoding', () => {
    it('encodes one buffer for all members of all audiences', async () => {
      const bytes = vi.spyOn(Frame.prototype, 'bytes')
      const { join, publish } = await open()
      const all = [await join({ topics: ['t'] }), await join({ topics: ['t'] }), await join(), await join()]
      await publish('shared')
      await expect.poll(() => all.every(({ connection }) => connection.data.length === 1)).toBe(true)
      expect(new Set(all.map(({ connection }) => connection.writes[0])).size).toBe(1)
      expect(bytes.mock.calls.length).toBeLessThan(all.length + 1)
    })
  })

  describe('8. publisher input is validated before it becomes a field', () => {
    it.each([
      [{ id: 'a\nevent: x' }, 'id_invalid'],
      [{ id: 'a\0' }, 'id_invalid'],
      [{ id: '#abc-1' }, 'id_invalid'],
      [{ id: 'earliest' }, 'id_invalid'],
      [{ type: 'a\rdata: x' }, 'type_invalid'],
      [{ type: 'tidings:gap' }, 'type_invalid'],
      [{ retry: 1.5 }, 'retry_invalid'],
      [{ data: '\ud800' }, 'data_invalid'],
      [{ topics: [] }, 'topic_missing'],
      [{ topics: ['a\nb'] }, 'topic_invalid']
    ])('rejects %j with %s', async (fields, code) => {
      const { hub } = await open()
      await expect(hub.publish({ topics: ['t'], data: '', ...fields })).rejects.toMatchObject({ code })
      expect(hub.status.head).toBe(0)
    })
  })

  describe('9. work per publish grows with the number of matching audiences', () => {
    it('evaluates each pattern once per topic, and skips audiences that do not match', async () => {
      const { join, publish } = await open()
      for (let number = 0; number < 50; number++) await join({ topics: [`exact/${number}`, `p${number}/{id}`] })
      const spies = Array.from({ length: 50 }, (_, number) => vi.spyOn(compile(`p${number}/{id}`), 'matches'))
      for (let number = 0; number < 100; number++) await publish('', 'exact/7')
      for (const spy of spies) expect(spy.mock.calls.length).toBeLessThanOrEqual(1)
    })
  })

  describe('closing a hub', () => {
    it('delivers pending updates before it ends the streams', async () => {
      const { hub, join, publish } = await open({ batchBytes: 1 })
      const { connection } = await join()
      await Promise.all([publish('last'), publish('words')])
      await hub.close()
      expect([connection.data, connection.ended]).toEqual([['last', 'words'], 'shutdown'])
    })
  })

  describe('an internal error', () => {
    it('is passed to the observer; the client only sees the stream end', async () => {
      const failures: unknown[] = []
      const log = await newLog()
      const { join, publish } = await open({
        log,
        window: { entries: 1 },
        observer: { failed: (error) => failures.push(error) }
      })
      for (let number = 0; number < 5; number++) await publish(String(number))
      log.read = () => Promise.reject(new Error('disk on fire'))
      const { connection } = await join({ lastEventId: 'earliest' })
      await expect.poll(() => connection.ended).toBe('error')
      expect(failures).toMatchObject([{ message: 'disk on fire' }])
    })

    it.each([
      [{ topics: 'abc' }, 'selector_invalid'],
      [{ topics: [42] }, 'selector_invalid'],
      [{ readable: 'abc' }, 'selector_invalid'],
      [{ encoding: 'xml' }, 'envelope_invalid'],
      [{ topics: Array.from({ length: 7 }, (_, number) => `{a${number}}`.repeat(30)) }, 'selectors_too_many']
    ])('does not include invalid requests: %j is rejected with %s', async (request, code) => {
      const { hub } = await open()
      await expect(hub.locate(request as SubscribeRequest)).rejects.toMatchObject({ code })
    })
  })

  describe('a private update', () => {
    it('reaches only subscribers that may read one of its topics', async () => {
      const { hub, join } = await open()
      const [nobody, other, reader] = [
        await join(),
        await join({ readable: ['b'] }),
        await join({ readable: ['a/{x}'] })
      ]
      await hub.publish({ topics: ['a/1', 'c'], data: 'secret', private: true })
      await hub.publish({ topics: ['a/1'], data: 'public' })
      const seen = () => [reader, nobody, other].map(({ connection }) => connection.data)
      await expect.poll(seen).toEqual([['secret', 'public'], ['public'], ['public']])
    })

    it('is also withheld on replay from subscribers without read permission', async () => {
      const { hub, join } = await open()
      await hub.publish({ topics: ['a'], data: 'secret', private: true })
      await hub.publish({ topics: ['a'], data: 'public' })
      const replay = { lastEventId: 'earliest' }
      const [nobody, reader] = [await join(replay), await join({ ...replay, readable: ['*'] })]
      await expect.poll(() => reader.connection.data).toEqual(['secret', 'public'])
      await expect.poll(() => nobody.connection.data).toEqual(['public'])
    })
  })

  describe('an observer that throws', () => {
    it('ends the process instead of changing the delivery', async () => {
      const uncaught: unknown[] = []
      const listeners = process.rawListeners('uncaughtException') as NodeJS.UncaughtExceptionListener[]
      process.removeAllListeners('uncaughtException').on('uncaughtException', (error) => uncaught.push(error))
      onTestFinished(() => {
        process.removeAllListeners('uncaughtException')
        for (const listener of listeners) process.on('uncaughtException', listener)
      })
      const fault = new Error('mine')
      const fail = () => {
        throw fault
      }
      const { join, publish } = await open({ observer: { arrived: fail, delivered: fail, joined: fail } })
      const { connection } = await join()
      for (const data of ['1', '2']) await publish(data)
      await expect.poll(() => connection.data).toEqual(['1', '2'])
      expect(new Set(uncaught)).toEqual(new Set([fault]))
    })
  })
})

// Only an append to a log of this process is over in the tick in which it began.
describe('a batch', () => {
  it('is delivered to the end to a subscriber that turns live in the middle of it', async () => {
    const { join, publish } = openHub()
    const [first, second] = [await join(), await join()]
    second.connection.full = true
    await publish('0')
    await expect.poll(() => second.subscriber.state).toBe('behind')
    await publish('1')
    // A turn of the catch-up has a limit, which a pause of the process would exceed.
    const clock = vi.spyOn(performance, 'now').mockReturnValue(performance.now())
    second.connection.drain()
    // A sweep begins in a later turn of the event loop, so the next update is part of its batch.
    for (let count = 0; second.subscriber.state !== 'live' && count < 1_000; count++) await Promise.resolve()
    clock.mockRestore()
    expect(second.subscriber.state).toBe('live')
    await publish('2')
    await expect.poll(() => first.connection.data).toEqual(['0', '1', '2'])
    expect(first.connection.writes.length).toBe(2)
    expect(second.connection.data).toEqual(['0', '1', '2'])
  })
})
