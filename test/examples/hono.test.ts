// examples/hono: a login, a room that members read and write, and refusals for everyone else.
import { expect, it } from 'vitest'
import { listen } from '../support/http/sse-client.ts'
import { startExample } from '../support/servers/example.ts'

it('examples/hono lets its session decide', async () => {
  const url = await startExample('hono')
  const login = await fetch(`${url}/login/ann`, { method: 'POST' })
  const cookie = login.headers.get('set-cookie')?.split(';')[0] as string
  expect(cookie).toBe('user=ann')
  const room = `${url}/events/subscribe?topic=rooms/1`
  const member = await listen(`${room}&topic=users/ann`, { cookie })
  const write = (headers: Record<string, string>) => fetch(`${url}/rooms/1`, { method: 'POST', body: 'hi', headers })
  expect((await write({ cookie })).status).toBe(200)
  expect(JSON.parse((await member.received(1))[0] as string)).toEqual({ user: 'ann', text: 'hi' })
  expect((await write({})).status).toBe(401)
  expect((await fetch(room)).status).toBe(403)
  expect((await fetch(`${url}/events/subscribe?topic=users/bob`, { headers: { cookie } })).status).toBe(403)
  const publish = { method: 'POST', body: 'x', headers: { cookie } }
  expect((await fetch(`${url}/events/publish?topic=rooms/1`, publish)).status).toBe(403)
})
