// Presence over HTTP: subscription events are delivered to clients that may read them, in both dialects.
import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import {
  bearer,
  type Dialect,
  dialects,
  form,
  fresh,
  hubPath,
  type MercureServer,
  serverWith,
  token
} from '../support/http/mercure.ts'
import { listen } from '../support/http/sse-client.ts'
import {
  announced,
  announcements,
  type Listed,
  listed,
  pathOf,
  subscriptionsAt,
  uuid,
  waitForAnnouncements,
  watch
} from '../support/hub/presence.ts'

const server = serverWith('--subscriptions')

describe.each(dialects)('in %s', (dialect) => {
  const subscribe = async (topics: string | string[], payload?: unknown) =>
    server.follow(dialect, topics, { headers: bearer(await token(dialect, { subscribe: ['*'], payload })) })

  test('S7 S8 a subscription is announced when it starts, and when its client disconnects', async () => {
    const topic = fresh()
    const watcher = await watch(server, dialect)
    const reader = await subscribe(topic, { user: 'x' })
    const [begun] = await waitForAnnouncements(watcher, topic, 1)
    reader.close()
    const all = await waitForAnnouncements(watcher, topic, 2)
    const subscription = listed(dialect, topic, begun?.subscriber ?? '', { user: 'x' })
    expect(begun?.subscriber).toMatch(uuid)
    expect(all).toEqual([announced(dialect, subscription, true), announced(dialect, subscription, false)])
  })

  test('S8 the event has the type mercure in 1.0, and no type in 0.x', async () => {
    const topic = fresh()
    const watcher = await watch(server, dialect)
    await subscribe(topic)
    const [begun] = await waitForAnnouncements(watcher, topic, 1)
    const type = dialect === '1.0' ? 'event: mercure\n' : ''
    const frame = new RegExp(`\n${type}id: #\\w+-\\w+\ndata: (.*"${begun?.subscriber}".*)\n\n`)
    expect(JSON.parse(frame.exec(watcher.raw)?.[1] ?? 'null')).toEqual(begun)
  })

  test('S8 the event has no payload if the token has none', async () => {
    const topic = fresh()
    const watcher = await watch(server, dialect)
    await subscribe(topic)
    const [begun] = await waitForAnnouncements(watcher, topic, 1)
    expect(begun).toEqual(announced(dialect, listed(dialect, topic, begun?.subscriber ?? ''), true))
  })

  test('S8 only clients that may read its path receive it', async () => {
    const topic = fresh()
    const [all, entitled] = [await watch(server, dialect), await watch(server, dialect, [anyone(dialect, topic)])]
    const others = [await watch(server, dialect, [topic]), await watch(server, dialect, [anyone(dialect, fresh())])]
    await subscribe(topic)
    await waitForAnnouncements(all, topic, 1)
    await server.publish(dialect, { topic, data: 'after it' })
    for (const client of [entitled, ...others]) await client.until(({ data }) => data.includes('after it'))
    expect(announcements(entitled, topic)).toEqual(announcements(all, topic))
    expect(others.map((other) => announcements(other, topic))).toEqual([[], []])
  })

  test('S8 clients without permission to read private updates receive no events', async () => {
    const topic = fresh()
    const [all, none] = [await watch(server, dialect), await server.follow(dialect, '*')]
    await subscribe(topic)
    await waitForAnnouncements(all, topic, 1)
    await server.publish(dialect, { topic, data: 'after it' })
    await none.until(({ data }) => data.includes('after it'))
    expect(none.data).toEqual(['after it'])
  })

  test('S8 a subscriber receives its own events if permitted', async () => {
    const topic = fresh()
    const path = pathOfAnyone(dialect, topic)
    const query = dialect === '1.0' ? { match: topic, match_urlpattern: path } : { topic: [topic, path] }
    const rights = bearer(await token(dialect, { subscribe: [anyone(dialect, topic)] }))
    const reader = await listen(`${server.hub}?${form(query)}`, rights)
    const [itself] = await waitForAnnouncements(reader, topic, 1)
    expect(await subscriptionsAt(server, dialect, pathOf(dialect, topic))).toEqual([
      listed(dialect, topic, itself?.subscriber ?? '')
    ])
  })

  test('S8 each of several selectors is announced once, with the same subscriber', async () => {
    const topics = [fresh('a'), fresh('b'), fresh('c')]
    const watcher = await watch(server, dialect)
    const reader = await subscribe([...topics, topics[0] as string])
    reader.close()
    for (const topic of topics) await waitForAnnouncements(watcher, topic, 2)
    const events = topics.flatMap((topic) => announcements(watcher, topic))
    expect(events.map(({ active }) => active)).toEqual([true, false, true, false, true, false])
    expect(new Set(events.map(({ subscriber }) => subscriber)).size).toBe(1)
  })

  test('S8 all characters except unreserved ones are percent-encoded, once', async () => {
    const topic = `${fresh()}/!'()* ~é🎉%20+"`
    const watcher = await watch(server, dialect)
    await subscribe(topic)
    const [begun] = await waitForAnnouncements(watcher, topic, 1)
    const space = dialect === '1.0' ? '%20' : '+'
    expect(begun?.id).toContain(`%2F%21%27%28%29%2A${space}~%C3%A9%F0%9F%8E%89%2520%2B%22/urn%3Auuid%3A`)
    expect(begun?.id).toBe(pathOf(dialect, topic, begun?.subscriber))
  })

  test('S8 HEAD requests and rejected requests are not subscriptions', async () => {
    const topic = fresh()
    const watcher = await watch(server, dialect)
    const selector = form({ [dialect === '1.0' ? 'match' : 'topic']: topic })
    await server.refused(selector, bearer(await token(dialect, { subscribe: ['*'] })), 'HEAD')
    await server.refused(selector, bearer('no-token-at-all'))
    await subscribe(topic)
    await waitForAnnouncements(watcher, topic, 1)
    expect(announcements(watcher, topic)).toHaveLength(1)
  })

  test('S7 S8 a burst of a thousand subscriptions is announced completely, and every publish is answered', async () => {
    const topic = fresh('storm')
    const watcher = await watch(server, dialect)
    const storm = comeAndGo(server, dialect, topic, 1_000)
    const answers = await publishUntil(storm, (number) => server.publish(dialect, { topic, data: `${number}` }))
    await expect.poll(() => announcements(watcher, topic).length).toBe(2_000)
    expect(new Set(answers)).toEqual(new Set([200]))
    expect(lives(announcements(watcher, topic))).toEqual(new Set(['true,false']))
    expect(await subscriptionsAt(server, dialect, pathOf(dialect, topic))).toEqual([])
  })
})

test('S8 a URL pattern is announced with its match type', async () => {
  const pattern = `${fresh()}/:id`
  const watcher = await watch(server, '1.0')
  const rights = { subscribe: [{ match: pattern, match_type: 'urlpattern' }], payload: { of: 'the pattern' } }
  await listen(`${server.hub}?${form({ match_urlpattern: pattern })}`, bearer(await token('1.0', rights)))
  const [begun] = await waitForAnnouncements(watcher, pattern, 1)
  const subscription = listed('1.0', pattern, begun?.subscriber ?? '', { of: 'the pattern' }, 'urlpattern')
  expect(begun).toEqual(announced('1.0', subscription, true))
})

test('S8 a template is announced verbatim', async () => {
  const template = `${fresh()}/{id}`
  const watcher = await watch(server, '0.x')
  await server.follow('0.x', template)
  const [begun] = await waitForAnnouncements(watcher, template, 1)
  expect(begun).toEqual(announced('0.x', listed('0.x', template, begun?.subscriber ?? ''), true))
})

test('S8 streams of the simple endpoint are not announced', async () => {
  const topic = fresh()
  const watcher = await watch(server, '1.0')
  await listen(`${server.url}/subscribe?${form({ topic })}`, bearer(await token('1.0', { subscribe: ['*'] })))
  await server.publish('1.0', { topic, data: 'after it' })
  await watcher.until(({ data }) => data.includes('after it'))
  expect(announcements(watcher, topic)).toEqual([])
})

/** A selector for the paths of all subscriptions to a topic. */
function pathOfAnyone(dialect: Dialect, topic: string): string {
  return `${pathOf(dialect, topic)}/${dialect === '1.0' ? ':subscriber' : '{subscriber}'}`
}

/** The same selector as a grant. */
function anyone(dialect: Dialect, topic: string): unknown {
  const path = pathOfAnyone(dialect, topic)
  return dialect === '1.0' ? { match: path, match_type: 'urlpattern' } : path
}

/** Opens streams, a hundred at a time, and cuts each when its head has arrived. */
async function comeAndGo({ process }: MercureServer, dialect: Dialect, topic: string, count: number): Promise<void> {
  const { Authorization } = bearer(await token(dialect, { subscribe: [] }))
  const query = form({ [dialect === '1.0' ? 'match' : 'topic']: topic })
  const one = () =>
    new Promise<void>((resolve, reject) => {
      const socket = connect(process.port, '127.0.0.1')
      socket.write(`GET ${hubPath}?${query} HTTP/1.1\r\nHost: x\r\nAuthorization: ${Authorization}\r\n\r\n`)
      socket.once('data', () => socket.destroy())
      socket.once('close', () => resolve())
      socket.once('error', reject)
    })
  for (let gone = 0; gone < count; gone += 100) await Promise.all(Array.from({ length: 100 }, one))
}

/** Publishes sequentially until the work is done, and returns the statuses. */
async function publishUntil(
  work: Promise<void>,
  publish: (number: number) => Promise<{ status: number }>
): Promise<number[]> {
  const statuses: number[] = []
  let isDone = false
  const done = work.finally(() => {
    isDone = true
  })
  while (!isDone) statuses.push((await publish(statuses.length)).status)
  await done
  return statuses
}

/** The announced states of each subscriber, in order. */
function lives(events: Listed[]): Set<string> {
  const states = new Map<string, boolean[]>()
  for (const { subscriber, active } of events) states.set(subscriber, [...(states.get(subscriber) ?? []), active])
  return new Set([...states.values()].map(String))
}
