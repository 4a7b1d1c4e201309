// Revocations in a hub: which streams end, who is refused, the limit of the list, and nodes that share a log.
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import {
  type Connection,
  createHub,
  type Hub,
  type HubOptions,
  type Member,
  MemoryLog,
  type ObservedRevocation,
  type RevocableClient,
  type RevocationRequest,
  type RevocationTarget,
  type SubscribeRequest,
  type TokenIdentity
} from '../../dist/index.js'
import { cuttable } from '../support/hub/cuttable-log.ts'
import { FakeConnection } from '../support/hub/fake-connection.ts'
import { holdRoster } from '../support/hub/roster.ts'

interface ClientInit {
  readonly token?: TokenIdentity
  readonly address?: string
  readonly subject?: string
}

const client = (init: ClientInit) => Object.assign(new FakeConnection(), init) as FakeConnection & Connection

function open(options: HubOptions = {}) {
  const seen: ObservedRevocation[] = []
  const lifted: string[] = []
  const observer = {
    revoked: (revocation: ObservedRevocation) => void seen.push(revocation),
    lifted: ({ kind }: Pick<ObservedRevocation, 'kind'>) => void lifted.push(kind)
  }
  const hub = createHub({ heartbeat: 0, observer, ...options })
  onTestFinished(() => hub.close())
  const join = async (init: ClientInit, request: SubscribeRequest = {}) => {
    const connection = client(init)
    hub.join(await hub.locate(request), connection)
    return connection
  }
  return { hub, join, seen, lifted }
}

const ended = (connections: readonly FakeConnection[]) => connections.map((connection) => connection.ended)
const soon = () => Date.now() + 60_000

/** Fakes the clock only: timers stay real. */
function atTime(time: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: time })
  onTestFinished(() => void vi.useRealTimers())
}

/** All members of the log's roster. */
async function rosterOf(log: MemoryLog): Promise<string[]> {
  return (await rosterPages(log)).flat().map(({ topic }) => topic)
}

async function rosterPages({ roster }: MemoryLog) {
  const pages = []
  for await (const page of roster.members()) pages.push(page)
  return pages
}

describe('a revocation', () => {
  it('of a jti ends the streams of that token, and refuses it', async () => {
    const { hub, join, seen } = open()
    const streams = [await join({ token: { jti: '7', subject: 'ann' } }), await join({ token: { jti: '7' } })]
    const others = [await join({ token: { jti: '8', subject: '7' } }), await join({})]
    await hub.revoke({ jti: '7' })
    expect(ended(streams)).toEqual(['revoked', 'revoked'])
    expect(ended(others)).toEqual([undefined, undefined])
    expect(seen).toEqual([{ kind: 'jti', until: undefined, closed: 2 }])
    expect((await join({ token: { jti: '7' } })).ended).toBe('revoked')
    expect((await join({ token: { jti: '8' } })).ended).toBeUndefined()
    expect(hub.status.revocations).toBe(1)
  })

  it('of a subject concerns tokens that were issued by then, or do not say when', async () => {
    atTime(1_000_000_000)
    const { hub, join } = open()
    const at = (issuedAt: number | undefined) => join({ token: { subject: 'ann', issuedAt } })
    const streams = [await at(undefined), await at(999_000_000), await at(1_000_000_000), await at(1_000_001_000)]
    await hub.revoke({ subject: 'ann' })
    const expected = ['revoked', 'revoked', 'revoked', undefined]
    expect(ended(streams)).toEqual(expected)
    const later = [await at(undefined), await at(999_000_000), await at(1_000_000_000), await at(1_000_001_000)]
    expect(ended(later)).toEqual(expected)
    // An application's own connection may know the subject only.
    expect((await join({ subject: 'ann' })).ended).toBe('revoked')
  })

  it.each<[string, SubscribeRequest, boolean]>([
    ['the topic', { topics: ['a/1'] }, true],
    ['the topic among others', { topics: ['b', 'a/1'] }, true],
    ['the topic as an exact selector', { topics: [{ match: 'a/1', type: 'exact' }] }, true],
    ['the topic as text of a URL pattern', { topics: [{ match: 'a/1', type: 'urlpattern', base: 'https://x' }] }, true],
    ['a template that covers it', { topics: ['a/{id}'] }, false],
    ['everything', {}, false]
  ])('of a topic concerns a stream that selects %s: %j %s', async (_, request, isConcerned) => {
    const { hub, join } = open()
    const stream = await join({}, request)
    await hub.revoke({ topic: 'a/1', until: soon() })
    expect(stream.ended).toBe(isConcerned ? 'revoked' : undefined)
    expect((await join({}, request)).ended).toBe(isConcerned ? 'revoked' : undefined)
  })

  it('of a selector text concerns streams with that template, or with everything', async () => {
    const { hub, join } = open()
    const [template, everything] = [await join({}, { topics: ['a/{id}'] }), await join({})]
    await hub.revoke({ topic: 'a/{id}' })
    expect(ended([template, everything])).toEqual(['revoked', undefined])
    await hub.revoke({ topic: '*' })
    expect(everything.ended).toBe('revoked')
  })

  it.each<[string, string, boolean]>([
    ['203.0.113.7', '203.0.113.7:51234', true],
    ['203.0.113.7', '203.0.113.7', true],
    ['203.0.113.7', '::ffff:203.0.113.7', true],
    ['::ffff:203.0.113.7', '203.0.113.7:1', true],
    ['203.0.113.7', '203.0.113.70:1', false],
    ['2001:DB8:0:0::1', '[2001:db8::1]:51234', true],
    ['2001:db8::1', '2001:db8:0::1', true],
    ['2001:db8::1', '[2001:db8::1]', true],
    ['2001:db8::1', '[2001:db8::2]:1', false],
    ['fe80::1%eth0', '[fe80::1%eth0]:1', true],
    ['fe80::1', '[fe80::1%eth0]:1', false],
    ['local', 'local', true]
  ])('of the address %s, and the client %s: %s', async (address, from, isConcerned) => {
    const { hub, join } = open()
    const stream = await join({ address: from })
    await hub.revoke({ address, until: soon() })
    expect(stream.ended).toBe(isConcerned ? 'revoked' : undefined)
    expect(hub.revocations.refusalOf({ address: from })).toBe(isConcerned ? 'revoked' : undefined)
  })

  it('of a topic or an address without an end concerns open streams only', async () => {
    const { hub, join } = open()
    const streams = [await join({}, { topics: ['a'] }), await join({ address: '192.0.2.1:7' })]
    await hub.revoke({ topic: 'a' })
    await hub.revoke({ address: '192.0.2.1' })
    expect(ended(streams)).toEqual(['revoked', 'revoked'])
    expect((await join({ address: '192.0.2.1:8' }, { topics: ['a'] })).ended).toBeUndefined()
  })

  it('ends a stream that waited for its position meanwhile', async () => {
    const { hub } = open()
    const position = await hub.locate({ topics: ['a'] })
    await hub.revoke({ jti: '7' })
    const connection = client({ token: { jti: '7' } })
    const subscriber = hub.join(position, connection)
    expect([connection.ended, subscriber.state, hub.status.subscribers]).toEqual(['revoked', 'closed', 0])
  })

  it('discards what its stream has not been sent', async () => {
    const { hub, join } = open()
    const stream = await join({ token: { jti: '7' } })
    const publishing = hub.publish({ topics: ['t'], data: 'late' })
    await hub.revoke({ jti: '7' })
    await publishing
    await hub.publish({ topics: ['t'], data: 'later' })
    await expect.poll(() => hub.stats.totals.published).toBe(3)
    expect(stream.data).toEqual([])
  })

  it('is received by nobody, live or from the history', async () => {
    const { hub, join } = open()
    const rights = { readable: ['*', '/.well-known/mercure/{+rest}'] }
    const all = [await join({}, rights), await join({}, { ...rights, topics: ['/.well-known/mercure/{+rest}'] })]
    await hub.revoke({ jti: '7', until: soon() })
    await hub.revoke({ topic: 'b' })
    await hub.publish({ topics: ['t'], data: 'x', private: true })
    all.push(await join({}, { ...rights, lastEventId: 'earliest' }), await join({}, { ...rights, last: 2 }))
    await expect.poll(() => all.map(({ data }) => data)).toEqual([['x'], [], ['x'], ['x']])
    expect([...(await hub.subscriptions())]).toEqual([])
  })

  it.each<[string, unknown]>([
    ['nothing', {}],
    ['two targets', { jti: '7', subject: 'ann' }],
    ['an unknown member', { sub: 'ann' }],
    ['an unknown member next to a target', { jti: '7', kind: 'jti' }],
    ['an empty text', { subject: '' }],
    ['a number', { jti: 7 }],
    ['a text of more than 4,096 bytes', { subject: 'é'.repeat(2_049) }],
    ['a host name', { address: 'example.com' }],
    ['an address with a port', { address: '192.0.2.1:80' }],
    ['a network', { address: '192.0.2.0/24' }],
    ['an end that is text', { jti: '7', until: '1h' }],
    ['an end that is no number', { jti: '7', until: Number.NaN }],
    ['no end at all', { jti: '7', until: Number.POSITIVE_INFINITY }],
    ['an end in seconds', { jti: '7', until: Math.ceil(Date.now() / 1_000) + 60 }],
    ['an end in microseconds', { jti: '7', until: Date.now() * 1_000 }]
  ])('with %s is refused', async (_, request) => {
    const { hub } = open()
    await expect(hub.revoke(request as RevocationRequest)).rejects.toMatchObject({ code: 'revocation_invalid' })
    expect([hub.status.revocations, hub.status.head]).toEqual([0, 0])
  })

  it('is not in force when the log refused it', async () => {
    const log = new MemoryLog()
    const { hub, join } = open({ log })
    const stream = await join({ token: { jti: '7' } })
    log.roster.announce = () => Promise.reject(new Error('away'))
    await expect(hub.revoke({ jti: '7' })).rejects.toThrow('away')
    expect([stream.ended, hub.revocations.refusalOf({ token: { jti: '7' } }), hub.status.revocations]).toEqual([
      undefined,
      undefined,
      0
    ])
  })
})

describe('the end of a revocation', () => {
  const start = Date.now()
  const code = (hub: Hub) =>
    ['jti', 'subject', 'address', 'topic'].map((kind) => hub.revocations.refusalOf(probes[kind] ?? {}))
  const probes: Record<string, RevocableClient> = {
    jti: { token: { jti: '7' } },
    subject: { token: { subject: 'ann' } },
    address: { address: '192.0.2.1' },
    topic: { selectors: ['a'] }
  }

  it('is exact for topics and addresses, and for tokens allows for the clocks of issuers', async () => {
    atTime(start)
    const { hub } = open()
    const until = start + 60_000
    await hub.revoke({ jti: '7', until })
    await hub.revoke({ subject: 'ann', until })
    await hub.revoke({ address: '192.0.2.1', until })
    await hub.revoke({ topic: 'a', until })
    vi.setSystemTime(until - 1)
    expect(code(hub)).toEqual(['token_revoked', 'token_revoked', 'revoked', 'revoked'])
    vi.setSystemTime(until)
    expect(code(hub)).toEqual(['token_revoked', 'token_revoked', undefined, undefined])
    vi.setSystemTime(until + 299_999)
    expect(code(hub)).toEqual(['token_revoked', 'token_revoked', undefined, undefined])
    vi.setSystemTime(until + 300_000)
    expect(code(hub)).toEqual([undefined, undefined, undefined, undefined])
  })

  it('never comes for a token without one', async () => {
    atTime(start)
    const { hub } = open()
    await hub.revoke({ jti: '7' })
    vi.setSystemTime(start + 1e12)
    expect(hub.revocations.refusalOf({ token: { jti: '7' } })).toBe('token_revoked')
  })

  it('removes it from the lists of all nodes and from the roster, some minutes later', async () => {
    atTime(start)
    const log = new MemoryLog()
    const [one, two] = [open({ log }), open({ log })]
    await one.hub.revoke({ address: '192.0.2.1', until: start + 60_000 })
    await one.hub.revoke({ jti: 'for good' })
    expect([one.hub.status.revocations, two.hub.status.revocations]).toEqual([2, 2])
    vi.setSystemTime(start + 60_000 + 300_000)
    const left = async () => [one.hub.status.revocations, two.hub.status.revocations, (await rosterOf(log)).length]
    await expect.poll(left, { timeout: 60_000, interval: 500 }).toEqual([1, 1, 1])
    expect(two.hub.revocations.refusalOf({ token: { jti: 'for good' } })).toBe('token_revoked')
  })
})

describe('the list of revocations', () => {
  const fill = async (hub: Hub, count: number, until?: number) => {
    const end = until === undefined ? {} : { until }
    for (let at = 0; at < count; at++) await hub.revoke({ jti: `${at}`, ...end })
  }

  it('has at most 10,000, and then refuses new ones, but drops none', async () => {
    const { hub } = open()
    await fill(hub, 10_000)
    await expect(hub.revoke({ jti: 'one more' })).rejects.toMatchObject({
      code: 'revocations_too_many',
      status: 507,
      message: 'There are too many revocations, so nothing was revoked: the limit is 10000.'
    })
    expect(hub.revocations.refusalOf({ token: { jti: 'one more' } })).toBeUndefined()
    for (const jti of ['0', '5000', '9999']) expect(hub.revocations.refusalOf({ token: { jti } })).toBe('token_revoked')
    // Revoking the same token again needs no further place.
    await hub.revoke({ jti: '5' })
    expect(hub.status.revocations).toBe(10_000)
  })

  it('makes room by dropping those that have ended', async () => {
    const start = Date.now()
    atTime(start)
    const { hub } = open()
    await fill(hub, 10_000, start + 1_000)
    vi.setSystemTime(start + 301_000)
    await hub.revoke({ jti: 'one more' })
    expect(hub.status.revocations).toBe(1)
  })

  it('replaces those that a new one covers, and keeps those that last longer', async () => {
    const log = new MemoryLog()
    const [one, two] = [open({ log }), open({ log })]
    const until = soon()
    await one.hub.revoke({ subject: 'ann', until })
    await one.hub.revoke({ subject: 'ann', until: until + 1_000 })
    await one.hub.revoke({ subject: 'bob', until })
    expect([one.hub.status.revocations, two.hub.status.revocations]).toEqual([2, 2])
    await two.hub.revoke({ subject: 'ann', until: until - 1_000 })
    expect([one.hub.status.revocations, two.hub.status.revocations]).toEqual([3, 3])
    await two.hub.revoke({ subject: 'ann' })
    expect([one.hub.status.revocations, two.hub.status.revocations, (await rosterOf(log)).length]).toEqual([2, 2, 2])
    expect(one.hub.revocations.refusalOf({ token: { subject: 'ann' } })).toBe('token_revoked')
  })

  it('counts revocations that are being appended', async () => {
    const log = new MemoryLog()
    const { hub } = open({ log })
    await fill(hub, 9_999)
    const announce = log.roster.announce.bind(log)
    log.roster.announce = async (announcements) => {
      await new Promise(setImmediate)
      return announce(announcements)
    }
    const results = await Promise.allSettled(['a', 'b', 'c'].map((jti) => hub.revoke({ jti })))
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected'])
    expect(hub.status.revocations).toBe(10_000)
  })
})

describe('lifting', () => {
  it.each<[RevocationRequest, RevocableClient]>([
    [{ subject: 'ann' }, { token: { subject: 'ann' } }],
    [{ jti: '7', until: soon() }, { token: { jti: '7' } }],
    [{ topic: 'a/{id}', until: soon() }, { selectors: ['a/{id}'] }],
    [{ address: '2001:DB8::1', until: soon() }, { address: '[2001:db8::1]:80' }]
  ])('of %j accepts again what was refused, on all nodes', async (request, refused) => {
    const log = new MemoryLog()
    const [one, two] = [open({ log }), open({ log })]
    await one.hub.revoke(request)
    await one.hub.revoke({ subject: 'bob' })
    const { until: _, ...target } = request
    await two.hub.revocations.lift(target)
    for (const { hub, lifted } of [one, two]) {
      await expect.poll(() => hub.status.revocations).toBe(1)
      expect(hub.revocations.refusalOf(refused)).toBeUndefined()
      expect(hub.revocations.refusalOf({ token: { subject: 'bob' } })).toBe('token_revoked')
      expect(lifted).toEqual([Object.keys(target)[0]])
    }
    expect(await rosterOf(log)).toHaveLength(1)
    const late = open({ log }).hub
    await late.revocations.loaded()
    expect(late.revocations.refusalOf(refused)).toBeUndefined()
  })

  it('removes all revocations of the value', async () => {
    const { hub, lifted } = open()
    const until = soon()
    for (const later of [until + 2_000, until + 1_000, until]) await hub.revoke({ subject: 'ann', until: later })
    await hub.revocations.lift({ subject: 'ann' })
    expect([hub.revocations.list(), hub.revocations.refusalOf({ token: { subject: 'ann' } })]).toEqual([[], undefined])
    expect(lifted.at(-1)).toBe('subject')
  })

  it('does not count what ends, or is replaced', async () => {
    const start = Date.now()
    atTime(start)
    const { hub, lifted } = open()
    await hub.revoke({ subject: 'ann', until: start + 1_000 })
    await hub.revoke({ subject: 'ann', until: start + 2_000 })
    await hub.revoke({ topic: 'a' })
    await expect(hub.revocations.lift({ topic: 'a' })).rejects.toMatchObject({ code: 'revocation_missing' })
    vi.setSystemTime(start + 302_000)
    await expect(hub.revocations.lift({ subject: 'ann' })).rejects.toMatchObject({ code: 'revocation_missing' })
    expect(lifted).toEqual([])
  })

  it.each([{}, { subject: '' }, { subject: 'ann', jti: '7' }, { address: 'x' }, { until: 7 }])(
    'of %j is refused',
    async (target) => {
      const { hub } = open()
      await hub.revoke({ subject: 'ann' })
      const lifting = hub.revocations.lift(target as RevocationTarget)
      await expect(lifting).rejects.toMatchObject({ code: 'revocation_invalid' })
      expect(hub.status.revocations).toBe(1)
    }
  )

  it('reaches a node that was loading the list meanwhile', async () => {
    const log = new MemoryLog()
    const { hub } = open({ log })
    await hub.revoke({ jti: '7' })
    await hub.revoke({ jti: '8' })
    const read = await rosterPages(log)
    const members = log.roster.members
    log.roster.members = async function* () {
      yield* read
    }
    const release = holdRoster(log)
    const late = open({ log }).hub
    // Its load has begun, and has read the roster before the next entry.
    await late.publish({ topics: ['t'], data: '' })
    log.roster.members = members
    await hub.revocations.lift({ jti: '7' })
    release()
    await late.revocations.loaded()
    expect(late.revocations.list().map(({ value }) => value)).toEqual(['8'])
  })

  it('reaches a node that has missed its entry', async () => {
    const log = new MemoryLog()
    const operator = open({ log })
    const link = cuttable(log)
    const { hub, lifted } = open({ log })
    await operator.hub.revoke({ jti: '7' })
    await operator.hub.revoke({ jti: '8' })
    await expect.poll(() => hub.status.revocations).toBe(2)
    link.isCut = true
    await operator.hub.revocations.lift({ jti: '7' })
    expect(hub.status.revocations).toBe(2)
    link.isCut = false
    await hub.publish({ topics: ['t'], data: '' })
    await expect.poll(() => hub.revocations.list().map(({ value }) => value)).toEqual(['8'])
    expect(lifted).toEqual(['jti'])
  })

  it('keeps what is announced again while a node reads the roster', async () => {
    const log = new MemoryLog()
    const operator = open({ log })
    const link = cuttable(log)
    const { hub } = open({ log })
    for (const jti of ['7', '8']) await operator.hub.revoke({ jti })
    await expect.poll(() => hub.status.revocations).toBe(2)
    link.isCut = true
    await operator.hub.revocations.lift({ jti: '8' })
    const [record] = (await rosterPages(log)).flat() as [Member]
    const release = holdRoster(log)
    link.isCut = false
    // The hub has missed an entry, and reads the roster.
    await hub.publish({ topics: ['t'], data: '' })
    for (const member of [null, record]) await log.roster.announce([{ update: record.end, member }])
    release()
    await expect.poll(() => hub.revocations.list().map(({ value }) => value)).toEqual(['7'])
  })

  it('lists what is in force, the newest first', async () => {
    const start = Date.now()
    atTime(start)
    const { hub } = open()
    await hub.revoke({ subject: 'ann', until: start + 1_000 })
    await hub.revoke({ topic: 'a' })
    vi.setSystemTime(start + 10)
    await hub.revoke({ jti: '7' })
    const listed = hub.revocations.list().map(({ id: _, ...revocation }) => revocation)
    expect(listed).toEqual([
      { kind: 'jti', value: '7', at: start + 10, until: undefined },
      { kind: 'subject', value: 'ann', at: start, until: start + 1_000 }
    ])
  })
})

describe('revocations on nodes that share a log', () => {
  it('end streams on all of them, and are known to one that starts later', async () => {
    const log = new MemoryLog()
    const [one, two] = [open({ log }), open({ log })]
    const stream = await two.join({ token: { jti: '7' } })
    await one.hub.revoke({ jti: '7' })
    await expect.poll(() => stream.ended).toBe('revoked')
    const three = open({ log })
    await three.hub.revocations.loaded()
    expect(three.hub.revocations.refusalOf({ token: { jti: '7' } })).toBe('token_revoked')
    expect((await three.join({ token: { jti: '7' } })).ended).toBe('revoked')
    expect([one, two, three].map(({ seen }) => seen)).toEqual([
      [{ kind: 'jti', until: undefined, closed: 0 }],
      [{ kind: 'jti', until: undefined, closed: 1 }],
      []
    ])
  })

  it('are not taken for members of a crashed node', async () => {
    const log = new MemoryLog()
    const hubs = [open({ log, presenceTimeout: 1_000 }), open({ log, presenceTimeout: 1_000 })]
    await hubs[0]?.hub.revoke({ jti: '7' })
    const late = open({ log, presenceTimeout: 1_000 })
    await late.hub.revocations.loaded()
    // Another member makes the nodes check leases, until it is gone.
    const update = { topics: ['presence/ann'], data: '', private: true }
    await log.roster.announce([{ update, member: { topic: 'presence/ann', node: 'dead', record: '', end: update } }])
    await expect.poll(async () => (await rosterOf(log)).length).toBe(1)
    expect([...hubs, late].map(({ hub }) => hub.status.revocations)).toEqual([1, 1, 1])
    expect(await late.hub.subscriptions()).toEqual(new Map())
  })

  it('admits no client before the list is loaded', async () => {
    const log = new MemoryLog()
    await open({ log }).hub.revoke({ jti: '7' })
    const release = holdRoster(log)
    const { hub } = open({ log })
    let isLoaded = false
    const loading = hub.revocations.loaded().then(() => {
      isLoaded = true
    })
    await sleep(50)
    expect(isLoaded).toBe(false)
    release()
    await loading
    expect(hub.revocations.refusalOf({ token: { jti: '7' } })).toBe('token_revoked')
  })

  it('answers that the log is unavailable when the list cannot be loaded', async () => {
    const log = new MemoryLog()
    log.roster.members = () => ({
      [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('away')) })
    })
    const { hub } = open({ log })
    await expect(hub.revocations.loaded()).rejects.toMatchObject({ code: 'log_unavailable' })
  })

  it('are announced again when the log starts over', async () => {
    const log = new MemoryLog()
    const { hub } = open({ log })
    await hub.revoke({ jti: '7', until: soon() })
    await hub.revoke({ subject: 'ann' })
    const before = await rosterOf(log)
    const next = new MemoryLog()
    // The same log with another epoch and an empty roster.
    Object.defineProperty(log, 'epoch', { value: 'another', configurable: true })
    log.roster.announce = (announcements) => next.roster.announce(announcements)
    await expect.poll(() => rosterOf(next)).toEqual(before)
  })

  it('in the roster end streams that began before, when the log skipped their entries', async () => {
    const log = new MemoryLog()
    const operator = open({ log })
    const link = cuttable(log, true)
    const { hub, join } = open({ log })
    const streams = [await join({ token: { jti: '7' } }), await join({}, { topics: ['a'] })]
    await sleep(5)
    await operator.hub.revoke({ jti: '7' })
    await operator.hub.revoke({ topic: 'a' })
    await sleep(5)
    const late = await join({}, { topics: ['a'] })
    expect(ended(streams)).toEqual([undefined, undefined])
    link.isCut = false
    await hub.publish({ topics: ['t'], data: '' })
    await expect.poll(() => ended(streams)).toEqual(['revoked', 'revoked'])
    expect(late.ended).toBeUndefined()
  })
})
