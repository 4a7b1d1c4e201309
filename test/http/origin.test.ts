// What a page of another site, in a browser on the same machine, can and cannot do.
import { describe, expect, it } from 'vitest'
import { ask, post, serve } from '../support/http/http.ts'

describe('publishing', () => {
  it.each([
    ['POST', { Origin: 'https://evil.example' }],
    ['POST', { Origin: 'null' }],
    ['POST', { Origin: 'http://127.0.0.1:1' }],
    ['POST', { 'Sec-Fetch-Site': 'cross-site' }],
    ['GET', { 'Sec-Fetch-Site': 'cross-site' }]
  ])('is forbidden for a page of another site: %s %j', async (method, headers) => {
    const { hub, url } = await serve()
    const answer = await ask(`${url}/publish`, { method, headers: headers as Record<string, string> })
    expect(answer).toMatchObject({
      status: 403,
      text: expect.stringContaining('Pages of this origin may not publish here')
    })
    expect(hub.status.head).toBe(0)
  })

  it("is allowed for the server's own pages, and for clients that are not browsers", async () => {
    const { hub, url } = await serve()
    expect((await post(`${url}/publish`, 'x', { Origin: url, 'Sec-Fetch-Site': 'same-origin' })).status).toBe(200)
    expect((await ask(`${url}/publish`, { headers: { 'Sec-Fetch-Site': 'none' } })).status).toBe(200)
    expect((await post(`${url}/publish`, 'x')).status).toBe(200)
    expect(hub.status.head).toBe(3)
  })
})

describe("a page with the hub's own origin", () => {
  it.each(['hub.example', 'hub.example:443', 'hub.example.', 'HUB.example'])(
    'may publish if the host is %s',
    async (Host) => {
      const { url } = await serve()
      expect((await post(`${url}/publish`, 'x', { Host, Origin: 'https://hub.example' })).status).toBe(200)
    }
  )

  it('is not a page of another port', async () => {
    const { url } = await serve()
    const headers = { Host: 'hub.example:8443', Origin: 'https://hub.example' }
    expect((await post(`${url}/publish`, 'x', headers)).status).toBe(403)
  })
})

describe('a server that listens on localhost', () => {
  it.each(['evil.example', 'evil.example:5000', '127.0.0.1.evil.example', '192.168.0.1'])(
    'does not accept the host %s',
    async (host) => {
      const { url } = await serve({}, { localOnly: true })
      const answer = await ask(`${url}/debug`, { headers: { Host: host } })
      expect(answer).toMatchObject({ status: 403, text: expect.stringContaining('use 127.0.0.1 or localhost') })
    }
  )

  it.each(['localhost', 'localhost.', 'localhost:5000', '127.0.0.1', '[::1]:5000'])(
    'accepts the host %s',
    async (host) => {
      const { url } = await serve({}, { localOnly: true })
      expect((await ask(`${url}/debug`, { headers: { Host: host } })).status).toBe(200)
    }
  )
})
