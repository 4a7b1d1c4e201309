// A server that is limited to one dialect of Mercure: it rejects the other, and never falls back to it.
import { describe, expect, it } from 'vitest'
import { form, fresh, serverWith } from '../support/http/mercure.ts'
import { challenge, publisher, reader } from '../support/http/mercure-dialects.ts'

const asForm = { 'Content-Type': 'application/x-www-form-urlencoded' }

describe('a server of 1.0 only', () => {
  const server = serverWith('--dialects', '1.0')

  it('S2: accepts publishes and subscriptions of 1.0', async () => {
    const topic = fresh()
    const stream = await server.follow('1.0', topic)
    await server.publish('1.0', { topic, data: 'x' })
    expect(await stream.received(1)).toEqual(['x'])
  })

  it('S2: rejects the parameter topic', async () => {
    const text = 'unknown topic matcher query parameter: "topic" (use "match" or "match_urlpattern")\n'
    expect(await server.refused('topic=a', await reader('1.0'))).toMatchObject({ status: 400, text })
  })

  it('S1: rejects a 0.x token', async () => {
    const refusal = { status: 401, headers: { 'www-authenticate': challenge.invalid } }
    expect(await server.refused('match=a', await reader('0.x', ['*']))).toMatchObject(refusal)
    expect(await server.post('topic=a', await publisher('0.x'))).toMatchObject(refusal)
  })

  it('S1: ignores a token in the query', async () => {
    const { Authorization } = await reader('1.0', ['*'])
    const query = form({ match: 'a', authorization: Authorization.slice('Bearer '.length) })
    expect(await server.refused(query)).toMatchObject({ status: 401, headers: { 'www-authenticate': challenge.none } })
  })
})

describe('a server of 0.x only', () => {
  const server = serverWith('--dialects', '0.x')

  it('S2: accepts publishes and subscriptions of 0.x', async () => {
    const topic = fresh()
    const stream = await server.follow('0.x', topic)
    await server.publish('0.x', { topic, data: 'x' })
    expect(await stream.received(1)).toEqual(['x'])
    expect(stream.headers).not.toHaveProperty('accept-query')
  })

  it('S2: rejects the parameter match', async () => {
    const text = 'Missing "topic" parameter.\n'
    expect(await server.refused('match=a', await reader('0.x'))).toMatchObject({ status: 400, text })
  })

  it('S18: rejects the method QUERY', async () => {
    const answer = await server.refused('topic=a', { ...asForm, ...(await reader('0.x')) }, 'QUERY')
    expect(answer).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD, POST' } })
  })

  it('P1: grants nothing to a 1.0 token', async () => {
    const refusal = { status: 401, text: 'Unauthorized\n' }
    expect(await server.post('topic=a', await publisher('1.0'))).toMatchObject(refusal)
    expect(await server.post('topic=a')).toMatchObject(refusal)
    expect(await server.refused('topic=a')).toMatchObject(refusal)
  })
})
