// Publishing in both dialects of Mercure: accepted updates, their delivery, and internal errors.
import { describe, expect, it } from 'vitest'
import { MemoryLog } from '../../dist/index.js'
import { ask, serve } from '../support/http/http.ts'
import { dialects, form, fresh, hubPath, serverWith } from '../support/http/mercure.ts'
import { keyedHandler, patternGrant, publisher, reader } from '../support/http/mercure-dialects.ts'

const server = serverWith()
const asForm = { 'Content-Type': 'application/x-www-form-urlencoded' }

describe.each(dialects)('publishing with a token of %s', (dialect) => {
  it('P3: returns the given id, and nothing else', async () => {
    const topic = fresh()
    const answer = await server.publish(dialect, { topic, id: 'urn:mine' })
    expect(answer).toMatchObject({ status: 200, text: 'urn:mine' })
    expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8')
  })

  it("P3: returns the hub's id if none is given, and delivers the update with it", async () => {
    const topic = fresh()
    const stream = await server.follow(dialect, topic)
    const { text } = await server.publish(dialect, { topic, data: 'x', id: '', type: '', retry: '' })
    expect(text).toMatch(/^#[0-9a-z]+-[0-9a-z]+$/)
    await stream.received(1)
    expect(stream.raw).toBe(`:\nid: ${text}\ndata: x\n\n`)
  })

  it('P4: accepts an update without data', async () => {
    const topic = fresh()
    const stream = await server.follow(dialect, topic)
    expect(await server.publish(dialect, { topic, id: 'empty' })).toMatchObject({ status: 200, text: 'empty' })
    expect(await stream.received(1)).toEqual([''])
  })

  it('P3: parses the form as browsers encode it, and ignores unknown fields', async () => {
    const topic = fresh()
    const stream = await server.follow(dialect, topic)
    const headers = {
      ...(await publisher(dialect)),
      'Content-Type': 'Application/X-WWW-Form-Urlencoded; charset=UTF-8'
    }
    const body = `later=1&${form({ topic })}&data=100%25+%26+more%0A%C3%BC&&flag&data=second`
    expect((await server.post(body, headers)).status).toBe(200)
    expect(await stream.received(1)).toEqual(['100% & more\nü'])
  })

  it.each(['private', 'private=', 'private=on', 'private=false'])('P3: %s makes an update private', async (field) => {
    const topic = fresh()
    const stranger = await server.follow(dialect, topic)
    const friend = await server.follow(dialect, topic, { headers: await reader(dialect, [topic]) })
    await server.post(`${form({ topic, data: 'private' })}&${field}`, await publisher(dialect))
    await server.publish(dialect, { topic, data: 'public' })
    expect(await friend.received(2)).toEqual(['private', 'public'])
    expect(await stranger.received(1)).toEqual(['public'])
  })

  it('P1: accepts a token that covers each topic with a separate grant', async () => {
    const [exact, covered] = [fresh(), fresh('1')]
    const grants = [exact, patternGrant(dialect, covered.replace(/\/1$/, ''))]
    const answer = await server.publish(dialect, { topic: [exact, covered] }, await publisher(dialect, grants))
    expect(answer.status).toBe(200)
  })

  it('P8: accepts a thousand topics', async () => {
    const topics = Array.from({ length: 1_000 }, (_, index) => String(index))
    expect((await server.publish(dialect, { topic: topics })).status).toBe(200)
  })

  it('P5: responds 500 without the reason if the log fails', async () => {
    const failures: unknown[] = []
    const log = new MemoryLog()
    log.append = () => Promise.reject(new Error('the secret reason'))
    const { url } = await serve({ log, observer: { failed: (error) => failures.push(error) } }, keyedHandler)
    const headers = { ...asForm, ...(await publisher(dialect)) }
    const answer = await ask(url + hubPath, { method: 'POST', headers, body: 'topic=a' })
    expect(answer).toMatchObject({ status: 500, text: 'Internal Server Error\n' })
    expect(String(failures)).toContain('the secret reason')
  })

  it('P5: responds 503 while the hub shuts down', async () => {
    const { hub, url } = await serve({}, keyedHandler)
    await hub.close()
    const headers = { ...asForm, ...(await publisher(dialect)) }
    const answer = await ask(url + hubPath, { method: 'POST', headers, body: 'topic=a' })
    expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '1' } })
  })
})
