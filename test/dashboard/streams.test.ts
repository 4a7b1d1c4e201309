// The table of streams: sorting, filters and pages; and its two actions, which end exactly one stream or the streams of one token.
import { expect, it } from 'vitest'
import { describe, operatorToken, read, rowOf, serveDashboard, startDashboard } from '../support/dashboard/dashboard.ts'
import { ask } from '../support/http/http.ts'
import { audience, bearer, keys, token } from '../support/http/mercure.ts'
import { listen } from '../support/http/sse-client.ts'

const silent = (address: string, subject?: string) => ({
  address,
  ...(subject !== undefined && { subject }),
  buffered: 0,
  write: () => true,
  onDrain: () => {},
  end: () => {}
})

/** Streams without sockets, one for each number. */
async function serveMany(count: number) {
  const served = await serveDashboard()
  for (let number = 0; number < count; number++) {
    const position = await served.hub.locate({ topics: [`topic-${number % 7}`] })
    const name = String(number).padStart(5, '0')
    served.hub.join(position, silent(`10.0.0.${name}`, `user-${name}`))
  }
  return served
}

it('sorts and pages thousands of streams', async () => {
  const { url } = await serveMany(3_000)
  const pages = [0, 500, 1_000].map((offset) => `?sort=address&order=asc&limit=500&offset=${offset}`)
  const lists = await Promise.all(pages.map((query) => read(url, 'streams', query)))
  expect(lists.map(({ total, matched }) => [total, matched])).toEqual([0, 1, 2].map(() => [3_000, 3_000]))
  const addresses = lists.flatMap(({ rows }) => rows.map(({ address }) => address))
  expect(addresses).toEqual(Array.from({ length: 1_500 }, (_, at) => `10.0.0.${String(at).padStart(5, '0')}`))
  const { rows } = await read(url, 'streams', '?sort=subject&order=desc&limit=2')
  expect(rows.map(({ subject }) => subject)).toEqual(['user-02999', 'user-02998'])
})

it('filters by address, subject, topic, id and state', async () => {
  const { url } = await serveMany(700)
  const matched = async (query: string) => (await read(url, 'streams', query)).matched
  expect(await matched('?filter=topic-3')).toBe(100)
  expect(await matched('?filter=TOPIC-3')).toBe(100)
  expect(await matched('?filter=user-0001')).toBe(10)
  expect(await matched('?filter=10.0.0.00042')).toBe(1)
  expect(await matched('?state=live')).toBe(700)
  expect(await matched('?state=behind')).toBe(0)
  const { rows } = await read(url, 'streams', '?filter=10.0.0.00042')
  const id = rows[0]?.id as string
  expect((await read(url, 'streams', `?filter=${id}`)).rows.map((row) => row.id)).toEqual([id])
  // All ids of a node begin with its name.
  expect(await matched(`?filter=${id.split('.')[0]}`)).toBe(0)
})

it('sorts by what was delivered', async () => {
  const { url, hub } = await serveMany(14)
  for (let number = 0; number < 5; number++) await hub.publish({ topics: ['topic-2'], data: 'x' })
  await hub.publish({ topics: ['topic-4'], data: 'x' })
  const delivered = async () => {
    const { rows } = await read(url, 'streams', '?sort=delivered&limit=5')
    return rows.map(({ delivered }) => delivered)
  }
  await expect.poll(delivered).toEqual([5, 5, 1, 1, 0])
})

it('closes exactly one stream, which its client may open again', async () => {
  const { url } = await serveDashboard()
  const streams = await Promise.all(['a', 'b'].map((topic) => listen(`${url}/subscribe?topic=${topic}`)))
  const { id } = await rowOf(url, 'a')
  expect((await ask(`${url}/dashboard/api/streams/${id}`, { method: 'DELETE' })).status).toBe(204)
  await streams[0]?.until(({ ended }) => ended)
  expect(streams[1]?.ended).toBe(false)
  expect((await describe(url, id)).events.at(-1)).toMatchObject({ kind: 'closed', detail: { reason: 'operator' } })
  expect((await ask(`${url}/dashboard/api/streams/${id}`, { method: 'DELETE' })).status).toBe(404)
  await listen(`${url}/subscribe?topic=a`)
  expect((await rowOf(url, 'a')).id).not.toBe(id)
})

const keyed = ['--publisher-key', keys.publish, '--subscriber-key', keys.subscribe, '--audience', audience]

it.each([
  ['jti', { jti: 'one', sub: 'ann' }],
  ['subject', { sub: 'ann' }]
] as const)('revokes a token by its %s, and ends its streams only', async (by, claims) => {
  const { url } = await startDashboard(...keyed)
  const operator = bearer(await operatorToken())
  const streamOf = async (topic: string, more: Record<string, unknown>) =>
    listen(`${url}/subscribe?topic=${topic}`, bearer(await token('1.0', { subscribe: ['*'], claims: more })))
  const mine = await streamOf('mine', claims)
  const other = await streamOf('other', { ...(by === 'jti' ? { sub: 'ann', jti: 'two' } : { sub: 'bob' }) })
  const { id, hasToken, subject } = await rowOf(url, 'mine', operator)
  expect({ hasToken, subject }).toEqual({ hasToken: true, subject: 'ann' })
  const answer = await ask(`${url}/dashboard/api/streams/${id}/revoke`, { method: 'POST', headers: operator })
  expect(answer.json()).toEqual({ revoked: by === 'jti' ? { jti: 'one' } : { subject: 'ann' } })
  await mine.until(({ ended }) => ended)
  expect(other.ended).toBe(false)
  await expect(streamOf('mine', { ...claims, iat: Math.floor(Date.now() / 1_000) - 10 })).resolves.toMatchObject({
    status: 401
  })
  expect((await describe(url, id, operator)).stream.closed?.reason).toBe('revoked')
})

it('refuses to revoke a token that has no name', async () => {
  const { url } = await startDashboard(...keyed, '--anonymous')
  await listen(`${url}/subscribe?topic=a`)
  const headers = { ...bearer(await operatorToken()), Accept: 'application/json' }
  const { id } = await rowOf(url, 'a', headers)
  const answer = await ask(`${url}/dashboard/api/streams/${id}/revoke`, { method: 'POST', headers })
  expect(answer.status).toBe(409)
  expect(answer.json()).toMatchObject({ error: { code: 'token_unknown' } })
})
