// The option `authorize` as a function: the app that serves the hub decides, in process. Without a decision, access is denied.
import { describe, expect, it, vi } from 'vitest'
import { type AuthorizeFunction, type AuthorizeRequest, createHandler, createHub } from '../../dist/index.js'
import { openControlled } from '../support/http/control.ts'
import { ask, post, serve } from '../support/http/http.ts'
import { bearer, hubPath, token } from '../support/http/mercure.ts'
import { keyedHandler } from '../support/http/mercure-dialects.ts'
import { listen } from '../support/http/sse-client.ts'

const json = { Accept: 'application/json' }

/** A hub with a function, and the errors that it reports. */
async function serveWith(authorize: AuthorizeFunction, options = {}) {
  const errors: Error[] = []
  const observer = { failed: (error: unknown) => void errors.push(error as Error) }
  const served = await serve({ heartbeat: 0, observer }, { authorize, ...options })
  return { ...served, errors }
}

describe('the function', () => {
  const asked = async (options = {}) => {
    const requests: AuthorizeRequest[] = []
    const authorize: AuthorizeFunction = (request) => {
      requests.push(request)
      return true
    }
    return { requests, ...(await serveWith(authorize, options)) }
  }

  it('is asked about a stream, with the request', async () => {
    const { requests, url } = await asked({ basePath: '/events' })
    await listen(`${url}/events/subscribe?topic=a&topic=b/{id}`, { Cookie: 'session=7' })
    await listen(`${url}/events/subscribe`)
    expect(requests).toMatchObject([
      {
        action: 'subscribe',
        topics: ['a', 'b/{id}'],
        method: 'GET',
        path: '/events/subscribe',
        address: '127.0.0.1',
        headers: { cookie: 'session=7' },
        request: { url: '/events/subscribe?topic=a&topic=b/{id}' },
        signal: { aborted: false }
      },
      { topics: ['*'] }
    ])
    expect(requests[0]).not.toHaveProperty('subject')
  })

  it('is asked about a publish, a deletion, a page of history, and topics that are added to a stream', async () => {
    const { requests, url } = await asked({ allowDelete: true })
    const lines = '{"topic":"a","data":"x"}\n{"topics":["a","b"],"private":true}\n'
    await post(`${url}/publish`, lines, { 'Content-Type': 'application/x-ndjson' })
    await ask(`${url}/updates?topic=a`, { method: 'DELETE' })
    await ask(`${url}/updates?topic=a`)
    const { change } = await openControlled(url, 'topic=a')
    await change({ add: ['b'] })
    expect(requests).toMatchObject([
      { action: 'publish', method: 'POST', topics: ['a', 'b'], private: true },
      { action: 'delete', method: 'DELETE', topics: ['a'] },
      { action: 'subscribe', method: 'GET', path: '/updates', topics: ['a'] },
      { action: 'subscribe', method: 'GET', path: '/subscribe', topics: ['a'] },
      { action: 'subscribe', method: 'PATCH', path: expect.stringMatching(/^\/control\//), topics: ['b'] }
    ])
  })

  it('gets a URL pattern as a selector with its type', async () => {
    const { requests, url } = await asked()
    await listen(`${url}${hubPath}?match=*&match_urlpattern=${encodeURIComponent('/public/:id')}`)
    expect(requests[0]?.topics).toMatchObject(['*', { match: '/public/:id', type: 'urlpattern' }])
  })

  it('is asked last: not about a request that is refused anyway', async () => {
    const { requests, url } = await asked(keyedHandler)
    expect((await ask(`${url}/subscribe`)).status).toBe(401)
    const rights = bearer(await token('1.0', { subscribe: [], claims: { sub: 'ann' } }))
    expect((await ask(`${url}/subscribe?topic=`, { headers: rights })).status).toBe(400)
    expect(requests).toEqual([])
    await listen(`${url}/subscribe?topic=a`, rights)
    expect(requests).toMatchObject([{ subject: 'ann' }])
  })

  it('does not open a hub with cookies to the pages of other sites', async () => {
    const { requests, url } = await asked()
    const headers = { Cookie: 'session=7', Origin: 'https://evil.example' }
    expect(await post(`${url}/publish?topic=a`, 'x', headers)).toMatchObject({ status: 403 })
    expect(requests).toEqual([])
  })
})

describe('the answer', () => {
  it('false refuses streams and publishes', async () => {
    const { hub, url, errors } = await serveWith(async () => false)
    const refused = await ask(`${url}/subscribe`, { headers: json })
    expect(refused).toMatchObject({ status: 403 })
    expect(refused.json()).toMatchObject({ error: { code: 'not_granted' } })
    expect(await post(`${url}/publish?topic=a`, 'x')).toMatchObject({ status: 403 })
    expect([hub.status.head, hub.status.subscribers, errors]).toEqual([0, 0, []])
  })

  it('rights let the stream read private updates, until they expire', async () => {
    const rights = () => ({ readable: ['users/ann/{+rest}'], until: Date.now() + 3_000 })
    const { hub, url } = await serveWith(rights)
    const client = await listen(`${url}/subscribe`)
    await hub.publishAll(
      ['users/bob/x', 'users/ann/x'].map((topic) => ({ topics: [topic], data: topic, private: true }))
    )
    expect(await client.received(1)).toEqual(['users/ann/x'])
    await client.until(({ ended }) => ended, 'the end of the stream')
    expect(hub.stats.closes).toMatchObject([{ reason: 'expired' }])
    expect(client.data).toEqual(['users/ann/x'])
  })

  it('protects the endpoints about other clients, which need their path in readable', async () => {
    const { url } = await serveWith(({ headers }) => (headers.cookie ? { readable: ['/debug'] } : true))
    expect((await ask(`${url}/debug`)).status).toBe(403)
    expect((await ask(`${url}/debug`, { headers: { Cookie: 'operator' } })).status).toBe(200)
  })
})

describe('without a decision', () => {
  // Plain JavaScript can return anything.
  const answers: [unknown, string][] = [
    [undefined, 'it returned undefined; return true, false or { readable, until }'],
    [null, 'it returned null; return true, false or { readable, until }'],
    ['yes', 'it returned string; return true, false or { readable, until }'],
    [['a'], 'it returned a list; return true, false or { readable, until }'],
    [{ subject: 'ann' }, 'it returned the unknown member subject; use readable and until'],
    [{ readable: 'a' }, 'readable in its answer is not a list of strings'],
    [{ readable: [''] }, 'readable in its answer contains an invalid selector'],
    [{ until: Number.NaN }, 'until in its answer is not a number'],
    [{ until: new Date() }, 'until in its answer is not a number'],
    [{ until: 1_767_229_200 }, 'until in its answer is in the past']
  ]

  it.each(answers)('%j denies access, and is reported', async (answer, message) => {
    const { url, errors } = await serveWith((() => answer) as AuthorizeFunction)
    const refused = await ask(`${url}/subscribe`, { headers: json })
    expect(refused).toMatchObject({ status: 503, headers: { 'retry-after': '1' } })
    expect(refused.json()).toMatchObject({ error: { code: 'authorize_failed' } })
    expect(refused.text).not.toContain('answer')
    expect(await post(`${url}/publish?topic=a`, 'x')).toMatchObject({ status: 503 })
    // Both failed, and one was reported.
    expect(errors.map((error) => error.message)).toEqual([`authorize: ${message}`])
  })

  it.each<[string, AuthorizeFunction]>([
    ['thrown', () => fail()],
    ['rejected', async () => fail()]
  ])('an error that is %s denies access, and is reported as the cause', async (_, authorize) => {
    const { url, errors } = await serveWith(authorize)
    expect((await ask(`${url}/subscribe`)).status).toBe(503)
    expect(errors).toMatchObject([{ message: 'authorize: the session store is down', cause: { name: 'TypeError' } }])
  })

  const fail = (): never => {
    throw new TypeError('the session store is down')
  }

  it('the time limit denies access and aborts the signal; what comes later changes nothing', async () => {
    let decide: (answer: boolean) => void = () => {}
    const aborted = vi.fn()
    const authorize: AuthorizeFunction = ({ signal }) => {
      signal.onabort = aborted
      return new Promise((resolve) => {
        decide = resolve
      })
    }
    const { hub, url, errors } = await serveWith(authorize, { authorizeTimeout: 50 })
    const since = performance.now()
    expect((await ask(`${url}/subscribe`)).status).toBe(503)
    expect(performance.now() - since).toBeGreaterThanOrEqual(45)
    expect(aborted).toHaveBeenCalledOnce()
    expect(errors.map(({ message }) => message)).toEqual(['authorize: no decision within 50 ms'])
    decide(true)
    expect(hub.status.subscribers).toBe(0)
  })
})

it('a function gets all headers, so it cannot be combined with authorizeHeaders', async () => {
  const hub = createHub()
  expect(() => createHandler(hub, { authorize: () => true, authorizeHeaders: ['cookie'] })).toThrow(
    /^authorizeHeaders: cannot be combined with a function as authorize, which gets all headers; remove it$/
  )
  await hub.close()
})
