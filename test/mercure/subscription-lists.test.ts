// Subscription lists over HTTP: each dialect has its own documents, paths and caching.
import { describe, expect, test } from 'vitest'
import { ask } from '../support/http/http.ts'
import { bearer, type Dialect, dialects, form, fresh, hubPath, serverWith, token } from '../support/http/mercure.ts'
import { listen, type SseClient } from '../support/http/sse-client.ts'
import {
  announcements,
  askList,
  context,
  lastEventIdOf,
  listed,
  listPath,
  pathOf,
  subscriptionsAt,
  watch
} from '../support/hub/presence.ts'

const server = serverWith('--subscriptions')

/** Opens a stream, and waits until it is listed. */
async function subscribe(dialect: Dialect, topic: string, payload?: unknown) {
  const rights = bearer(await token(dialect, { subscribe: ['*'], payload }))
  const client = await server.follow(dialect, topic, { headers: rights })
  const subscribers = async () => (await subscriptionsAt(server, dialect, pathOf(dialect, topic))).length
  await expect.poll(subscribers).toBe(1)
  const [{ subscriber } = { subscriber: '' }] = await subscriptionsAt(server, dialect, pathOf(dialect, topic))
  return { client, subscriber, path: pathOf(dialect, topic, subscriber) }
}

describe.each(dialects)('in %s', (dialect) => {
  const isModern = dialect === '1.0'

  test('A1 a list requires a valid token that covers its path', async () => {
    const path = pathOf(dialect, fresh())
    const nobody = await ask(server.url + path)
    const forger = await ask(server.url + path, { headers: bearer('no-token-at-all-but-of-a-length-that-would-do') })
    const other = await askList(server, dialect, path, { subscribe: [pathOf(dialect, fresh()), listPath] })
    expect([nobody.status, forger.status, other.status]).toEqual([401, 401, isModern ? 403 : 401])
    if (isModern) expect(other.headers['www-authenticate']).toMatch(/^Bearer error="insufficient_scope"/)
    else expect([nobody.text, other.text]).toEqual(['Unauthorized\n', 'Unauthorized\n'])
  })

  test('A1 the list of all subscriptions requires a token that covers it', async () => {
    const answers = [['*'], [listPath], [], [`${listPath}/`], [fresh()]].map(async (subscribe) => {
      return (await askList(server, dialect, listPath, { subscribe })).status
    })
    const refused = isModern ? 403 : 401
    expect(await Promise.all(answers)).toEqual([200, 200, refused, refused, refused])
  })

  test('A2 the ETag is the last event id, and a client that has it receives 304', async () => {
    const topic = fresh()
    const path = pathOf(dialect, topic)
    await subscribe(dialect, topic)
    const list = await askList(server, dialect, path)
    const etag = list.headers.etag as string
    const again = await askList(server, dialect, path, { headers: { 'If-None-Match': etag } })
    const id = lastEventIdOf(dialect, list)
    expect(etag).toBe(isModern ? `"${id}"` : id)
    expect([again.status, again.text, again.headers.etag]).toEqual([304, '', etag])
  })

  test('A2 the list is sent again after a new subscription', async () => {
    const topic = fresh()
    const before = await askList(server, dialect, pathOf(dialect, topic))
    const { subscriber } = await subscribe(dialect, topic)
    const headers = { 'If-None-Match': before.headers.etag as string }
    const after = await askList(server, dialect, pathOf(dialect, topic), { headers })
    expect(after.status).toBe(200)
    expect(after.json()).toMatchObject({ subscriptions: [listed(dialect, topic, subscriber)] })
  })

  test('A2 A3 the list of a selector contains the subscriptions to exactly that selector', async () => {
    const topic = fresh()
    const path = pathOf(dialect, topic)
    const { subscriber } = await subscribe(dialect, topic, { user: 'x' })
    await subscribe(dialect, `${topic}/below`)
    const list = await askList(server, dialect, path)
    const lastEventID = lastEventIdOf(dialect, list)
    const head = isModern
      ? { id: path, type: 'subscriptions' }
      : { ...context, id: path, type: 'Subscriptions', lastEventID }
    expect(list.json()).toEqual({ ...head, subscriptions: [listed(dialect, topic, subscriber, { user: 'x' })] })
    expect(list.headers['content-type']).toBe(isModern ? 'application/json' : 'application/ld+json')
  })

  test('A3 the list of all contains every subscription of its dialect', async () => {
    const [mine, theirs] = [fresh(), fresh()]
    const { subscriber } = await subscribe(dialect, mine)
    await subscribe(isModern ? '0.x' : '1.0', theirs)
    const list = await askList(server, dialect, listPath)
    expect(list.json()).toMatchObject({ id: listPath, type: isModern ? 'subscriptions' : 'Subscriptions' })
    const subscriptions = await subscriptionsAt(server, dialect, listPath)
    expect(subscriptions).toContainEqual(listed(dialect, mine, subscriber))
    expect(JSON.stringify(subscriptions)).not.toContain(theirs)
  })

  test('A3 each subscription has its own document', async () => {
    const topic = fresh()
    const { subscriber, path } = await subscribe(dialect, topic, { user: 'x' })
    const answer = await askList(server, dialect, path)
    const document = listed(dialect, topic, subscriber, { user: 'x' })
    const lastEventID = lastEventIdOf(dialect, answer)
    expect(answer.json()).toEqual(isModern ? document : { ...context, ...document, lastEventID })
  })

  test('A3 an unknown or ended subscription is 404, and a list without subscriptions is empty', async () => {
    const topic = fresh()
    const { client, path } = await subscribe(dialect, topic)
    const stranger = pathOf(dialect, topic, 'urn:uuid:00000000-0000-4000-8000-000000000000')
    expect((await askList(server, dialect, stranger)).status).toBe(404)
    client.close()
    await expect.poll(async () => (await askList(server, dialect, path)).status).toBe(404)
    expect(await subscriptionsAt(server, dialect, pathOf(dialect, topic))).toEqual([])
  })

  test('A3 HEAD returns the headers of GET', async () => {
    const topic = fresh()
    const { path } = await subscribe(dialect, topic)
    const [get, head] = [await askList(server, dialect, path), await askList(server, dialect, path, { method: 'HEAD' })]
    expect([head.status, head.text]).toEqual([200, ''])
    for (const name of ['etag', 'link', 'content-type', 'content-length'])
      expect(head.headers[name]).toBe(get.headers[name])
  })

  test('A4 the token must cover the path, without its query', async () => {
    const topic = fresh()
    const path = pathOf(dialect, topic)
    const statusOfList = async (query: string, subscribe: string[]) =>
      (await askList(server, dialect, path + query, { subscribe })).status
    const refused = isModern ? 403 : 401
    expect(await statusOfList('?page=2', [path])).toBe(200)
    expect(await statusOfList('?page=2', [`${path}?page=2`])).toBe(refused)
    expect(await statusOfList(`?x=${fresh()}`, [fresh()])).toBe(refused)
  })

  test('A4 a path with dot segments is 404, whatever it resolves to', async () => {
    const [secret, mine] = [fresh(), fresh()]
    const { path } = await subscribe(dialect, secret)
    const own = pathOf(dialect, mine, 'me')
    const up = '/..'.repeat(isModern ? 3 : 2)
    const crooked = path + up + own.slice(listPath.length)
    const readable = isModern ? [{ match: own, match_type: 'urlpattern' }] : [own, crooked]
    const { status, text } = await askList(server, dialect, crooked, { subscribe: readable })
    expect([200, 304]).not.toContain(status)
    expect(text).not.toContain('urn:uuid:')
  })

  test('A6 the id of a listed subscription is its URL', async () => {
    for (const text of ["!'()* ~", 'é🎉 Zoë', '%20+%', '"\\<>|^`', 'a/b?c=d&e#f']) {
      const { subscriber } = await subscribe(dialect, text)
      const [{ id } = { id: '' }] = await subscriptionsAt(server, dialect, pathOf(dialect, text))
      expect((await askList(server, dialect, id)).json()).toMatchObject(listed(dialect, text, subscriber))
    }
  })

  test('A3 a list and the events after its last event id are complete', async () => {
    const topic = fresh()
    const [first, later] = [await crowd(topic, 20), crowd(topic, 20)]
    for (const client of first.slice(0, 10)) client.close()
    const list = await askList(server, dialect, pathOf(dialect, topic))
    for (const client of first.slice(10, 15)) client.close()
    await later
    const watcher = await watch(server, dialect, ['*'], { 'Last-Event-ID': lastEventIdOf(dialect, list) })
    const { subscriptions } = list.json() as { subscriptions: { subscriber: string }[] }
    const names = async () => (await subscriptionsAt(server, dialect, pathOf(dialect, topic))).map(nameOf).sort()
    await expect.poll(async () => (await names()).length).toBe(25)
    await expect.poll(() => followed(subscriptions.map(nameOf), watcher, topic)).toEqual(await names())
  })

  const crowd = (topic: string, size: number) =>
    Promise.all(Array.from({ length: size }, () => server.follow(dialect, topic)))
})

const nameOf = ({ subscriber }: { subscriber: string }) => subscriber

/** The subscriptions of a list, updated by the events that a stream received after it. */
function followed(names: string[], watcher: SseClient, topic: string): string[] {
  const there = new Set(names)
  for (const { subscriber, active } of announcements(watcher, topic)) {
    if (active) there.add(subscriber)
    else there.delete(subscriber)
  }
  return [...there].sort()
}

test('A2 in 1.0 the Link header points to the hub, with the last event id', async () => {
  await subscribe('1.0', fresh())
  const { headers } = await askList(server, '1.0', listPath)
  const rest = 'type="mercure"; content-type="application/json"'
  const [, hub, id] = /^<([^>]*)>; rel="mercure"; last-event-id="(#\w+-\w+)"; (.*)$/.exec(String(headers.link)) ?? []
  expect(headers.link).toBe(`<${hub}>; rel="mercure"; last-event-id="${id}"; ${rest}`)
  expect(new URL(hub as string).pathname).toBe(hubPath)
  expect(headers.etag).toBe(`"${id}"`)
})

test('A4 in 1.0 a path with an unknown match type or an invalid escape is 400', async () => {
  for (const rest of ['regexp/a', 'regexp/a/b', 'Exact/a/b', 'exact/%ff', 'exact/%', 'exact/a/%zz', 'urlpattern/%C3']) {
    const { status, text } = await askList(server, '1.0', `${listPath}/${rest}`)
    expect([rest, status]).toEqual([rest, 400])
    expect(text).toMatch(/^The path of the subscription list is invalid: .*\n$/)
  }
})

test('A3 a path with extra segments is 404', async () => {
  const [modern, legacy] = [await subscribe('1.0', fresh()), await subscribe('0.x', fresh())]
  expect((await askList(server, '1.0', `${modern.path}/more`)).status).toBe(404)
  expect((await askList(server, '0.x', `${legacy.path}/more/and/more`)).status).not.toBe(200)
})

test('A5 the payload is that of the first detail that covers the matcher', async () => {
  const topic = fresh()
  const authorization_details = [
    detail({ match: fresh() }, { of: 'another' }),
    detail({ match: `${topic}/:id`, match_type: 'urlpattern' }, { of: 'the pattern' }),
    detail({ match: '*' }, { of: 'all' })
  ]
  const headers = bearer(await token('1.0', { subscribe: [], claims: { authorization_details } }))
  await listen(`${server.hub}?${form({ match: [`${topic}/1`, topic] })}`, headers)
  const payloads = async (selector: string) =>
    (await subscriptionsAt(server, '1.0', pathOf('1.0', selector))).map(({ payload }) => payload)
  await expect.poll(() => payloads(topic)).toEqual([{ of: 'all' }])
  expect(await payloads(`${topic}/1`)).toEqual([{ of: 'the pattern' }])
})

test('A5 in 0.x the payload is that of the token, of any type', async () => {
  for (const payload of [null, false, 0, '', ['x'], { user: 'x' }]) {
    const topic = fresh()
    const { subscriber } = await subscribe('0.x', topic, payload)
    const expected = [{ ...listed('0.x', topic, subscriber), payload }]
    expect(await subscriptionsAt(server, '0.x', pathOf('0.x', topic))).toEqual(expected)
  }
})

test('A3 lists of both dialects coexist, each with its own subscriptions', async () => {
  const topic = fresh()
  const [modern, legacy] = [await subscribe('1.0', topic), await subscribe('0.x', topic)]
  expect(await subscriptionsAt(server, '1.0', pathOf('1.0', topic))).toEqual([listed('1.0', topic, modern.subscriber)])
  expect(await subscriptionsAt(server, '0.x', pathOf('0.x', topic))).toEqual([listed('0.x', topic, legacy.subscriber)])
  expect((await askList(server, '1.0', modern.path)).json()).toMatchObject({ match: topic })
  expect((await askList(server, '0.x', legacy.path)).json()).toMatchObject({ topic })
})

describe('without --subscriptions', () => {
  const silent = serverWith()

  test.each(dialects)('A3 S8 %s has no lists and no subscription events', async (dialect) => {
    const topic = fresh()
    const watcher = await watch(silent, dialect)
    ;(await silent.follow(dialect, topic)).close()
    for (const path of [listPath, pathOf(dialect, topic), pathOf(dialect, topic, 'urn:uuid:0')]) {
      expect((await askList(silent, dialect, path)).status).toBe(404)
    }
    await silent.publish(dialect, { topic, data: 'after it' })
    await watcher.until(({ data }) => data.includes('after it'))
    expect(watcher.data).toEqual(['after it'])
  })
})

/** A grant to read, with a payload. */
function detail(topic: object, payload: object) {
  return { type: 'https://mercure.rocks/authorization-detail', actions: ['subscribe'], topics: [topic], payload }
}
