// Two servers on one Redis: ends, deletions and long polling act as on one server, also when one of them is killed.
import { expect, it, onTestFinished } from 'vitest'
import { ask, post } from '../support/http/http.ts'
import { listen } from '../support/http/sse-client.ts'
import { describeWith, redis } from '../support/requirements.ts'
import { freePort } from '../support/servers/free-port.ts'
import { redisForTest } from '../support/servers/redis.ts'
import { startServer } from '../support/servers/server.ts'

const json = { Accept: 'application/json' }

describeWith(await redis(), 'topics of a fleet', (program) => {
  const fleet = async () => {
    const redis = await redisForTest(program)
    const start = async () => {
      // Of its own: a request to a server that is gone must not reach another one.
      const port = await freePort()
      const args = ['--store', redis.url, '--allow-delete', '--log-level', 'error']
      const server = await startServer({ port, args })
      onTestFinished(() => server.kill('SIGKILL'))
      return server
    }
    return { redis, start, one: await start(), two: await start() }
  }
  const publish = async (url: string, topic: string, data: string, more = '') => {
    const answer = await post(`${url}/publish?topic=${topic}${more}`, data)
    expect(answer.status).toBe(200)
    return String(answer.headers['event-id'])
  }
  const history = async (url: string, query: string) => {
    const answer = await ask(`${url}/updates?${query}`)
    return answer.json() as {
      updates: { data: string; type: string }[]
      lastEventId: string
      gap: unknown
      more: boolean
    }
  }

  it('closes streams on all servers when their topics end, and answers 204 everywhere', async () => {
    const { one, two } = await fleet()
    const clients = await Promise.all([one, two].map(({ url }) => listen(`${url}/subscribe?topic=a&topic=b`)))
    await publish(one.url, 'a', '1', '&end')
    const id = await publish(two.url, 'b', '2', '&end')
    for (const client of clients) {
      await client.until(({ ended }) => ended)
      expect(client.data).toEqual(['1', '2'])
    }
    for (const { url } of [one, two]) {
      const status = async () =>
        (await ask(`${url}/subscribe?topic=a&topic=b`, { headers: { 'Last-Event-ID': id } })).status
      await expect.poll(status).toBe(204)
    }
    await publish(one.url, 'a', '3')
    const reopened = await listen(`${two.url}/subscribe?topic=a`, { 'Last-Event-ID': id })
    expect(await reopened.received(1)).toEqual(['3'])
  })

  it('knows the ends of another server after a restart', async () => {
    const { one, two, start } = await fleet()
    await publish(one.url, 'a', '1', '&end')
    await two.kill('SIGKILL')
    const three = await start()
    expect((await ask(`${three.url}/subscribe?topic=a`)).status).toBe(204)
  })

  it('deletes history for all servers at once, and frees it when the server that deleted it is killed', async () => {
    const { redis, one, two } = await fleet()
    const lines = Array.from({ length: 5_000 }, (_, number) =>
      JSON.stringify({ topic: number % 2 ? 'a' : 'b', data: 'x' })
    )
    await post(`${one.url}/publish`, lines.join('\n'), { 'Content-Type': 'application/x-ndjson' })
    const client = await listen(`${two.url}/subscribe?topic=a`)
    const answer = await ask(`${one.url}/updates?topic=a`, { method: 'DELETE', headers: json })
    expect(answer.status).toBe(200)
    await one.kill('SIGKILL')
    expect((await history(two.url, 'topic=a&after=earliest')).updates.map(({ type }) => type)).toEqual([
      'tidings:deleted'
    ])
    await client.until(({ events }) => events.at(-1)?.event === 'tidings:deleted')
    expect(await history(two.url, 'topic=b&after=earliest&limit=1000')).toMatchObject({ gap: null, more: true })
    const { epoch } = (await ask(`${two.url}/debug`, { headers: json })).json() as { epoch: string }
    // Redis waits ten seconds for the killed server to read what is deleted.
    const stored = () => redis.ask('XLEN', `{tidings:log}:${epoch}:entries`)
    await expect.poll(stored, { interval: 250 }).toBe(2_501)
  })

  it('serves a long-polling client that changes the server with every request, and loses its server', async () => {
    const { one, two, start } = await fleet()
    const urls = [one.url, two.url]
    const seen: string[] = []
    let isDone = false
    const polling = (async () => {
      let after = 'earliest'
      for (let turn = 0; !isDone; turn++) {
        const url = urls[turn % urls.length] as string
        const page = await history(url, `topic=a&wait=2s&limit=5&after=${encodeURIComponent(after)}`).catch(
          () => undefined
        )
        if (!page) continue
        expect(page.gap).toBeNull()
        seen.push(...page.updates.map(({ data }) => data))
        after = page.lastEventId
      }
    })()
    for (let number = 0; number < 60; number++) {
      if (number === 30) {
        await two.kill('SIGKILL')
        urls[1] = (await start()).url
      }
      await publish(one.url, number % 2 ? 'a' : 'b', String(number))
    }
    await expect.poll(() => seen.length).toBe(30)
    isDone = true
    await publish(one.url, 'a', 'last')
    await polling
    expect(seen.slice(0, 30)).toEqual(Array.from({ length: 30 }, (_, at) => String(2 * at + 1)))
  })
})
