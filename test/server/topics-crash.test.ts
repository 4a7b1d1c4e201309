// Kills the real server with SIGKILL while it deletes history, and restarts it on the same folder. A deletion is complete or it did not
// begin; an acknowledged one is complete, and so is an acknowledged end.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { type Answer, ask, post } from '../support/http/http.ts'
import { isSoak, randomFrom, seed } from '../support/random.ts'
import { type ServerProcess, startServer } from '../support/servers/server.ts'

const rounds = isSoak ? 60 : 5
const size = 3_000

interface Document {
  readonly updates: readonly { readonly data: string; readonly type: string }[]
  readonly lastEventId: string
  readonly gap: unknown
  readonly more: boolean
}

/** The data of all kept updates of a topic, without announcements. */
async function dataOf(url: string, topic: string): Promise<string[]> {
  const data: string[] = []
  for (let after = 'earliest'; ; ) {
    const answer = await ask(`${url}/updates?topic=${topic}&limit=1000&after=${encodeURIComponent(after)}`)
    const page = answer.json() as Document
    expect(page.gap).toBeNull()
    data.push(...page.updates.filter(({ type }) => type === 'message').map((update) => update.data))
    if (!page.more) return data
    after = page.lastEventId
  }
}

/** Publishes updates of two topics in turn, in one batch that no crash can cut. */
async function publish(url: string, name: string): Promise<string[]> {
  const data = Array.from({ length: size }, (_, number) => `${name}-${number}`)
  const lines = data.flatMap((text) => ['a', 'b'].map((topic) => JSON.stringify({ topic, data: text })))
  expect((await post(`${url}/publish`, lines.join('\n'), { 'Content-Type': 'application/x-ndjson' })).status).toBe(200)
  return data
}

/** Waits until a server has freed the storage of everything but one entry. If it does not, the error says whether the server still works. */
async function emptied(server: ServerProcess): Promise<void> {
  const kept = async () => {
    const answer = await ask(`${server.url}/debug`, { headers: { Accept: 'application/json' } })
    const { head, first } = answer.json() as { head: number; first: number }
    return head - first
  }
  const answered = async (request: Promise<Answer>) =>
    await Promise.race([request.then(({ status, text }) => `${status} ${text}`, String), sleep(5_000, 'no answer')])
  try {
    await expect.poll(kept).toBe(0)
  } catch (cause) {
    const { url } = server
    const seen = {
      ready: await answered(ask(`${url}/readyz`)),
      debug: await answered(ask(`${url}/debug`)),
      readable: await answered(ask(`${url}/updates?topic=b&after=earliest&limit=1`)),
      publish: await answered(post(`${url}/publish?topic=later`, 'x')),
      output: server.output()
    }
    throw new Error(`entries are still kept: ${JSON.stringify(seen)}`, { cause })
  }
}

it(`deletes history completely or not at all in ${rounds} kills (seed ${seed})`, { timeout: 600_000 }, async () => {
  console.log(`deletion crash: seed ${seed}, ${rounds} rounds (TEST_SEED sets another)`)
  const folder = mkdtempSync(join(tmpdir(), 'tidings-deletion-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const random = randomFrom(seed)
  const start = async () => {
    const server = await startServer({ args: ['--data', folder, '--allow-delete', '--log-level', 'error'] })
    onTestFinished(() => server.kill('SIGKILL'))
    return server
  }
  let [a, b]: [string[], string[]] = [[], []]
  let deletions = 0
  for (let round = 0; round < rounds; round++) {
    const server = await start()
    const added = await publish(server.url, String(round))
    a = [...a, ...added]
    b = [...b, ...added]
    const deleting = ask(`${server.url}/updates?topic=a`, { method: 'DELETE' }).then(
      ({ status }) => status === 200,
      () => false
    )
    // Some kills come before the deletion, some while it frees its storage, which takes some twelve commits.
    if (random.chance(0.7)) await deleting
    await sleep(random.between(0, 25))
    const ended = random.chance(0.5)
      ? await post(`${server.url}/publish?topic=e${round}&end`, 'x').catch(() => undefined)
      : undefined
    await server.kill('SIGKILL')
    const isDeleted = await deleting
    const again = await start()
    const left = await dataOf(again.url, 'a')
    if (isDeleted || left.length === 0) {
      expect(left).toEqual([])
      a = []
      deletions++
    } else expect(left).toEqual(a)
    expect(await dataOf(again.url, 'b')).toEqual(b)
    if (ended?.status === 200) expect((await ask(`${again.url}/subscribe?topic=e${round}`)).status).toBe(204)
    // Storage is freed after the last restart: with all topics deleted, only the announcement is left.
    if (round === rounds - 1) {
      const ends = Array.from({ length: rounds }, (_, number) => `&topic=e${number}`).join('')
      await ask(`${again.url}/updates?topic=a&topic=b${ends}`, { method: 'DELETE' })
      await emptied(again)
    }
    await again.kill('SIGKILL')
  }
  expect(deletions).toBeGreaterThan(0)
})
