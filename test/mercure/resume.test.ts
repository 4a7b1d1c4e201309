// Resuming after an id, in both dialects: the replayed updates, and the id in the response.
import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { dialects, fresh, serverWith } from '../support/http/mercure.ts'
import { dialectNames, publishHistory, reader } from '../support/http/mercure-dialects.ts'

const server = serverWith()
const emptyServer = serverWith()

/** A text as a header value, in the encoding that browsers use. */
const asHeader = (text: string) => Buffer.from(text).toString('latin1')

describe.each(dialects)('resuming in %s', (dialect) => {
  const { lastEventId, lastEventIdHeader } = dialectNames[dialect]
  const otherHeader = dialectNames[dialect === '1.0' ? '0.x' : '1.0'].lastEventIdHeader
  const spellings =
    dialect === '1.0' ? ['last_event_id', 'lastEventId'] : ['lastEventID', 'Last-Event-ID', 'lastEventId']
  const withHeader = async (id: string) => ({ headers: { ...(await reader(dialect)), 'Last-Event-ID': id } })
  const withQuery = (id: string, name: string = lastEventId) => ({ query: `&${name}=${encodeURIComponent(id)}` })

  it('S9: replays what follows the id in the header, then continues live', async () => {
    const { topic, ids } = await publishHistory(server, dialect, ['a', 'b', 'c'])
    const stream = await server.follow(dialect, topic, await withHeader(ids[0] as string))
    await server.publish(dialect, { topic, data: 'd' })
    expect(await stream.received(3)).toEqual(['b', 'c', 'd'])
    expect(stream.headers[lastEventIdHeader]).toBe(ids[0])
    expect(stream.headers[otherHeader]).toBeUndefined()
  })

  it.each(spellings)('S9: the parameter %s has the same effect', async (name) => {
    const { topic, ids } = await publishHistory(server, dialect, ['a', 'b'])
    const stream = await server.follow(dialect, topic, withQuery(ids[0] as string, name))
    expect(await stream.received(1)).toEqual(['b'])
    expect(stream.headers[lastEventIdHeader]).toBe(ids[0])
  })

  it('S9: the header takes precedence over the parameter', async () => {
    const { topic, ids } = await publishHistory(server, dialect, ['a', 'b', 'c'])
    const options = { ...(await withHeader(ids[1] as string)), ...withQuery(ids[0] as string) }
    const stream = await server.follow(dialect, topic, options)
    expect(await stream.received(1)).toEqual(['c'])
    expect(stream.headers[lastEventIdHeader]).toBe(ids[1])
  })

  it('S9: accepts and returns an id beyond Latin-1 in the encoding that browsers use', async () => {
    const [topic, id] = [fresh(), `ü💥${randomUUID()}`]
    await server.publish(dialect, { topic, data: 'a', id })
    await server.publish(dialect, { topic, data: 'b' })
    const stream = await server.follow(dialect, topic, await withHeader(asHeader(id)))
    expect(await stream.received(1)).toEqual(['b'])
    expect(stream.headers[lastEventIdHeader]).toBe(asHeader(id))
  })

  it('S9: resolves an id of several updates to the oldest, and replays the others', async () => {
    const [topic, id] = [fresh(), randomUUID()]
    for (const data of ['a', 'b', 'c']) await server.publish(dialect, { topic, data, id })
    const stream = await server.follow(dialect, topic, withQuery(id))
    expect(await stream.received(2)).toEqual(['b', 'c'])
  })

  it('S9: accepts a generated id of an update to another topic', async () => {
    const topic = fresh()
    const { text: id } = await server.publish(dialect, { topic: fresh() })
    await server.publish(dialect, { topic, data: 'a' })
    const stream = await server.follow(dialect, topic, await withHeader(id))
    expect(await stream.received(1)).toEqual(['a'])
    expect(stream.headers[lastEventIdHeader]).toBe(id)
  })

  it('S10: replays all of the history after "earliest"', async () => {
    const { topic } = await publishHistory(server, dialect, ['a', 'b', 'c'])
    for (const options of [withQuery('earliest'), await withHeader('earliest')]) {
      const stream = await server.follow(dialect, topic, options)
      expect(await stream.received(3)).toEqual(['a', 'b', 'c'])
      expect(stream.headers[lastEventIdHeader]).toBe('earliest')
    }
  })

  it('S11: only continues live after an unknown id, and returns "earliest"', async () => {
    const { topic } = await publishHistory(server, dialect, ['a', 'b'])
    const stream = await server.follow(dialect, topic, await withHeader('unknown'))
    await server.publish(dialect, { topic, data: 'live' })
    expect(await stream.received(1)).toEqual(['live'])
    expect(stream.headers[lastEventIdHeader]).toBe('earliest')
  })

  it('S12: returns "earliest" for an unknown id if there is no history', async () => {
    const stream = await emptyServer.follow(dialect, fresh(), withQuery('unknown'))
    expect(stream.headers[lastEventIdHeader]).toBe('earliest')
  })

  it.each([
    ['a publisher id', `mine-${dialect}`],
    ['a generated id', '']
  ])('S13: the response never contains the id of a private update: %s', async (_, own) => {
    const topic = fresh()
    const { text: id } = await server.publish(dialect, { topic, id: own, private: 'on' })
    await server.publish(dialect, { topic, data: 'public' })
    const stranger = await server.follow(dialect, topic, withQuery(id))
    expect(stranger.headers[lastEventIdHeader]).toBe('earliest')
    const friend = await server.follow(dialect, topic, { ...withQuery(id), headers: await reader(dialect, [topic]) })
    expect(friend.headers[lastEventIdHeader]).toBe(id)
  })

  it('S13: does not replay private updates to clients without permission', async () => {
    const topic = fresh()
    await server.publish(dialect, { topic, data: 'private', private: 'on' })
    await server.publish(dialect, { topic, data: 'public' })
    const stranger = await server.follow(dialect, topic, withQuery('earliest'))
    const friend = await server.follow(dialect, topic, {
      ...withQuery('earliest'),
      headers: await reader(dialect, [topic])
    })
    expect(await stranger.received(1)).toEqual(['public'])
    expect(await friend.received(2)).toEqual(['private', 'public'])
  })

  it('S14: an empty id replays nothing; it gets a response header in 1.0, and is ignored in 0.x', async () => {
    const { topic } = await publishHistory(server, dialect, ['a', 'b'])
    for (const options of [withQuery(''), await withHeader('')]) {
      const stream = await server.follow(dialect, topic, options)
      await server.publish(dialect, { topic, data: 'live' })
      expect(await stream.received(1)).toEqual(['live'])
      expect(stream.headers[lastEventIdHeader]).toBe(dialect === '1.0' ? 'earliest' : undefined)
    }
  })

  it('S14: an empty id in the header takes precedence over the parameter in 1.0, and is ignored in 0.x', async () => {
    const { topic, ids } = await publishHistory(server, dialect, ['a', 'b'])
    const stream = await server.follow(dialect, topic, { ...(await withHeader('')), ...withQuery(ids[0] as string) })
    await server.publish(dialect, { topic, data: 'live' })
    await stream.until(({ data }) => data.includes('live'))
    expect(stream.data).toEqual(dialect === '1.0' ? ['live'] : ['b', 'live'])
  })

  it('S14: without an id the response has no such header', async () => {
    const { headers } = await server.follow(dialect, fresh())
    expect(headers).not.toHaveProperty(lastEventIdHeader)
    expect(headers).not.toHaveProperty(otherHeader)
  })
})
