// `tidings history` and `tidings delete` against the real handler, and how the other commands treat ends and deletions.
import { expect, it } from 'vitest'
import { MemoryLog } from '../../dist/index.js'
import { post, serve } from '../support/http/http.ts'
import { begin, tidings } from '../support/servers/cli.ts'

const history = (url: string, ...args: string[]) => tidings(['history', '--url', url, ...args])
const remove = (url: string, ...args: string[]) => tidings(['delete', '--url', url, ...args])
const publish = (url: string, data: string, query = '') => post(`${url}/publish?${query}`, data)

it('prints all updates of the topics, over several pages', async () => {
  const { hub, url } = await serve()
  await hub.publishAll(Array.from({ length: 2_500 }, (_, at) => ({ topics: [at % 2 ? 'a' : 'b'], data: String(at) })))
  const { code, stdout, stderr } = await history(url, '--topic', 'a', '--topic', 'b')
  expect([code, stderr, stdout.split('\n').length]).toEqual([0, '', 2_501])
  expect((await history(url, '--topic', 'a', '--limit', '2')).stdout).toBe('1\n3\n')
  expect((await history(url, '--last', '2')).stdout).toBe('2498\n2499\n')
})

it('prints JSON, and the position to continue from', async () => {
  const { hub, url } = await serve()
  await publish(url, 'one', 'topic=a')
  const { stdout } = await history(url, '--json', '--position')
  const [update, position = ''] = stdout.trim().split('\n')
  expect(JSON.parse(update as string)).toMatchObject({ topic: 'a', data: 'one' })
  const waiting = begin(['history', '--url', url, '--after', position, '--wait', '30s'])
  await expect.poll(() => hub.status.polls).toBe(1)
  await publish(url, 'two')
  expect(await waiting.ended).toMatchObject({ code: 0, stdout: 'two\n' })
})

it('reports a gap on stderr, and refusals with exit code 1', async () => {
  const { hub, url } = await serve({ log: new MemoryLog({ entries: 1 }) })
  for (const data of ['1', '2', '3']) await publish(url, data)
  const answer = await history(url, '--after', `#${hub.status.epoch}-1`)
  expect(answer).toMatchObject({ code: 0, stdout: '3\n', stderr: expect.stringContaining('gap (trimmed)') })
  expect(await history(url, '--wait', '2m')).toMatchObject({ code: 1, stderr: expect.stringContaining('0 to 60s') })
  expect(await history('http://127.0.0.1:1')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('cannot be reached')
  })
})

it('deletes topics and single updates', async () => {
  const { url } = await serve({}, { allowDelete: true })
  for (const [data, query] of [
    ['1', 'topic=a&id=one'],
    ['2', 'topic=a'],
    ['3', 'topic=b']
  ] as const)
    await publish(url, data, query)
  expect(await remove(url, '--id', 'one')).toEqual({ code: 0, stdout: '', stderr: '' })
  expect((await history(url, '--topic', 'b')).stdout).toBe('3\n')
  expect(await remove(url, '--id', 'one')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('There is no such update')
  })
  expect(await remove(url, '--topic', 'a', '--topic', 'b')).toMatchObject({ code: 0 })
  expect((await history(url, '--json')).stdout.trim().split('\n').length).toBe(1)
  expect(await remove(url)).toMatchObject({ code: 2, stderr: expect.stringContaining('give either --topic or --id') })
  const off = await serve()
  expect(await remove(off.url, '--topic', 'a')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('--allow-delete')
  })
})

it('ends a subscription with exit code 0 when its topics have ended, after their last update', async () => {
  const { hub, url } = await serve({}, { allowDelete: true })
  await publish(url, 'first', 'topic=a')
  const command = begin(['subscribe', '--url', url, '--topic', 'a', '--from', 'earliest'])
  await command.until(({ lines }) => lines.length === 1, 'the first update')
  await hub.delete({ topics: ['a'] })
  await command.until(({ stderr }) => stderr.includes('deleted: all earlier updates of a'), 'the deletion')
  expect(await tidings(['publish', 'last', '--url', url, '--topic', 'a', '--end'])).toMatchObject({ code: 0 })
  expect(await command.ended).toMatchObject({ code: 0, stdout: 'first\nlast\n' })
  expect(await tidings(['publish', '--url', url, '--end'], {}, 'x\n')).toMatchObject({ code: 2 })
})
