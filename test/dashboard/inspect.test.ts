// The inspector: who would receive an update, which retention rule applies, and what a client gets that resumes at an id. Random histories
// compare it with what a real client gets.
import { expect, it } from 'vitest'
import { operatorToken, read, serveDashboard, startDashboard } from '../support/dashboard/dashboard.ts'
import { ask } from '../support/http/http.ts'
import { audience, bearer, keys, token } from '../support/http/mercure.ts'
import { listen } from '../support/http/sse-client.ts'
import { isSoak, type Random, randomFrom, seed } from '../support/random.ts'

const keyed = { publisherKey: keys.publish, subscriberKey: keys.subscribe, audience: [audience], anonymous: true }

it('names the streams that would receive an update, and the retention rule', async () => {
  const { url } = await startDashboard('--retention', '[{"match":"prices/{symbol}","last":1},{"match":"*","age":"7d"}]')
  for (const topics of ['topic=prices/x', 'topic=*', 'topic=prices/y', 'topic=prices/x&topic=news']) {
    await listen(`${url}/subscribe?${topics}`)
  }
  const { receivers, retention, resume } = await read(url, 'inspect', '?topic=prices/x')
  expect(receivers).toMatchObject({ streams: 3, audiences: 3 })
  expect(receivers.sample.map(({ topics }) => topics.join())).toEqual(
    expect.arrayContaining(['prices/x', '*', 'news,prices/x'])
  )
  expect(retention.rule).toBe('{"match":"prices/{symbol}","last":1}')
  expect(retention.keeps).toBe('the newest update of each topic')
  expect(resume).toBeNull()
  expect((await read(url, 'inspect', '?topic=other')).retention.keeps).toBe('updates for 7d')
})

/** What a real client gets: the updates before it is live, and the gap. */
async function resumeReally(url: string, topic: string, id: string, rights: Record<string, string>) {
  const headers = { ...rights, 'Last-Event-ID': id }
  const path = `${url}/subscribe?topic=${topic}&control=1`
  const head = await ask(path, { method: 'HEAD', headers })
  if (head.status === 204) return { isOver: true, gap: null, ids: [] }
  const client = await listen(path, headers)
  const isLive = () => {
    const [opening] = client.events
    return (opening && JSON.parse(opening.data).live) || client.events.some(({ event }) => event === 'tidings:live')
  }
  // A stream of a topic that has ended is closed when everything was written.
  await client.until(({ ended }) => isLive() || ended, 'the end of the history')
  const gap = client.events.find(({ event }) => event === 'tidings:gap')
  const hubEvents = ['tidings:open', 'tidings:gap', 'tidings:live']
  const ids = client.events.filter(({ event = '' }) => !hubEvents.includes(event)).map((event) => event.id)
  client.close()
  return { isOver: false, gap: gap ? (JSON.parse(gap.data) as object) : null, ids }
}

const topics = ['a', 'b', 'c', 'd']
const rules = [
  { match: 'a', last: 2 },
  { match: 'b', entries: 5 },
  { match: '*', entries: 20 }
]

async function playHistory(random: Random): Promise<void> {
  const { url, hub } = await serveDashboard({ retention: rules }, keyed)
  const operator = bearer(await operatorToken())
  const reader = bearer(await token('1.0', { subscribe: ['*'] }))
  const ids = ['earliest', 'unknown', '#0000-7']
  const pick = () => topics[random.between(0, topics.length - 1)] as string
  for (let count = random.between(5, 60); count > 0; count--) {
    const update = { topics: [pick()], data: 'x', private: random.chance(0.2), end: random.chance(0.05) }
    ids.push((await hub.publish(update)).id)
    // There may be nothing to delete.
    if (random.chance(0.05)) await hub.delete({ topics: [pick()] }).catch(() => {})
  }
  for (let check = 0; check < 8; check++) {
    const [topic, id] = [pick(), ids[random.between(0, ids.length - 1)] as string]
    // Without a token, a client reads public updates only.
    const isReader = random.chance(0.5)
    const query = `?topic=${topic}&private=${Number(isReader)}&id=${encodeURIComponent(id)}`
    const { resume } = await read(url, 'inspect', query, operator)
    const real = await resumeReally(url, topic, id, isReader ? reader : {})
    const inspected = resume && {
      isOver: resume.isOver,
      gap: resume.gap,
      count: resume.wouldReceive,
      first: resume.first
    }
    expect({ topic, id, ...inspected }).toEqual({
      topic,
      id,
      isOver: real.isOver,
      gap: real.gap,
      count: real.ids.length,
      first: real.ids.slice(0, 20)
    })
    expect(resume?.isComplete).toBe(true)
  }
}

it('agrees with a real client, for random histories', async () => {
  console.log(`inspector: seed ${seed}`)
  const random = randomFrom(seed)
  for (let history = 0; history < (isSoak ? 100 : 6); history++) await playHistory(random)
})
