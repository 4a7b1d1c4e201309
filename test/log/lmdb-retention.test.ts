// The retention rules of LmdbLog.
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createHub, LmdbLog, MemoryLog, type RetentionRule } from '../../dist/index.js'
import { keptIn, many, newFolder, only, openLog, readAll, startRuleChange, update } from '../support/log/log-folder.ts'
import { isSoak, randomFrom, seed } from '../support/random.ts'

const on = (topic: string, data: string) => update(data, { topics: [topic] })

describe('LmdbLog keeps the newest entries of a topic (last)', () => {
  it('removes superseded entries in the same commit, and reports no gap', async () => {
    const log = await openLog({ retention: [{ match: 'price/{id}', last: 1 }] })
    await log.append([on('price/1', 'a'), on('price/2', 'b')])
    await log.append([on('price/1', 'c')])
    await log.append([on('price/1', 'd'), on('other', 'e'), on('price/1', 'f')])
    expect(await keptIn(log)).toEqual(['b', 'e', 'f'])
    expect(await readAll(log, { filter: only('price/1') })).toMatchObject({ lost: false })
    expect(log.first).toBe(2)
  })

  it('keeps the number of entries per topic that the rule sets', async () => {
    const log = await openLog({ retention: [{ match: '*', last: 3 }] })
    for (const data of ['1', '2', '3', '4', '5']) await log.append([on('a', data), on('b', data)])
    expect(await keptIn(log)).toEqual(['3', '3', '4', '4', '5', '5'])
  })

  it('applies to the first topic only: an alternate topic supersedes nothing, and is not superseded', async () => {
    const log = await openLog({ retention: [{ match: 'a', last: 1 }] })
    await log.append([update('1', { topics: ['b', 'a'] }), update('2', { topics: ['a', 'b'], id: 'x' })])
    await log.append([update('3', { topics: ['b', 'a'] }), update('4', { topics: ['a'] })])
    expect(await keptIn(log)).toEqual(['1', '3', '4'])
    expect(await log.locate('x')).toBeUndefined()
    expect((await readAll(log, { filter: only('b') })).entries.length).toBe(2)
  })
})

describe('LmdbLog applies the bounds of a rule', () => {
  it('keeps at most the configured bytes', async () => {
    const log = await openLog({ retention: [{ match: '*', bytes: 10_000 }] })
    for (let number = 0; number < 100; number++) await log.append([update('x'.repeat(800))])
    // Each entry counts as its 800 bytes of data, its topic and a constant of 200.
    expect(log.head - log.first + 1).toBe(9)
    expect(await readAll(log)).toMatchObject({ lost: true })
  })

  it('keeps at most the configured entries across all topics of the rule', async () => {
    const log = await openLog({ retention: [{ match: 'few/{x}', entries: 2 }] })
    for (const number of ['1', '2', '3']) await log.append([on(`few/${number}`, number), on('all', number)])
    expect(await keptIn(log)).toEqual(['1', '2', '2', '3', '3'])
    expect(await readAll(log, { filter: only('few/1') })).toMatchObject({ lost: true })
    expect(await readAll(log, { filter: only('all') })).toMatchObject({ lost: false })
  })

  it('removes expired entries, also when nothing is published', async () => {
    let now = 1_000_000
    const log = await openLog({ retention: [{ match: '*', age: 60_000 }], now: () => now })
    await log.append([update('old')])
    now += 30_000
    await log.append([update('young')])
    now += 30_001
    await expect.poll(() => log.first).toBe(2)
    expect(await readAll(log)).toMatchObject({ lost: true })
    now += 30_000
    await expect.poll(() => log.first).toBe(3)
  })

  it('removes expired entries when it is reopened', async () => {
    const path = newFolder()
    const retention = [{ match: '*', age: 60_000 }]
    const before = await openLog({ path, retention, now: () => 1_000_000 })
    await before.append(many(3))
    await before.close()
    const log = await openLog({ path, retention, now: () => 1_060_001 })
    await expect.poll(() => log.first).toBe(4)
  })

  it('keeps entries longer, never shorter, when the clock is set back, also across a restart', async () => {
    const path = newFolder()
    const retention = [{ match: '*', age: 60_000 }]
    const before = await openLog({ path, retention, now: () => 1_000_000 })
    await before.append([update('before')])
    await before.close()
    const log = await openLog({ path, retention, now: () => 500_000 })
    const [after] = await log.append([update('after')])
    expect(after?.time).toBe(1_000_000)
    expect(log.first).toBe(1)
  })

  it('uses the first rule that covers a topic, and keeps everything where no rule does', async () => {
    const retention = [{ match: 'keep/{x}' }, { match: 'a', entries: 1 }, { match: '{any}', entries: 2 }]
    const log = await openLog({ retention })
    for (const data of ['1', '2', '3']) {
      await log.append([on('keep/it', data), on('a', data), on('b', data), on('no/rule', data)])
    }
    const kept = async (topic: string) =>
      (await readAll(log, { filter: only(topic) })).entries.map((entry) => entry.update.data)
    expect([await kept('keep/it'), await kept('a'), await kept('b'), await kept('no/rule')]).toEqual([
      ['1', '2', '3'],
      ['3'],
      ['2', '3'],
      ['1', '2', '3']
    ])
  })

  it('continues to trim until the entries of one large append are within bounds', async () => {
    const path = newFolder()
    const before = await openLog({ path })
    for (let batch = 0; batch < 10; batch++) await before.append(many(1_000))
    await before.close()
    const log = await openLog({ path, retention: [{ match: '*', entries: 50 }] })
    await expect.poll(() => log.first).toBe(9_951)
  })

  it.each([
    [{ entries: 0 }, 'retention: rule 1: entries: expected a whole number greater than 0, got 0'],
    [{ last: 1.5 }, 'retention: rule 1: last: expected a whole number greater than 0, got 1.5'],
    [{ age: 'soon' }, 'retention: rule 1: age: expected a duration with a unit such as 10s, got "soon"'],
    [{ age: 0 }, 'retention: rule 1: age: expected a number greater than 0'],
    [{ bytes: '1 gig' }, 'retention: rule 1: bytes: expected a size such as 64MiB, got "1 gig"'],
    [{ size: 1 }, 'retention: rule 1: "size" is not a field; expected match, last, entries, bytes, age'],
    [{ match: '' }, 'retention: rule 1: match: expected a topic selector such as "*"']
  ])('every log rejects %j', async (rule, message) => {
    const retention = [{ match: 'a', ...rule } as RetentionRule]
    await expect(LmdbLog.open({ path: newFolder(), retention })).rejects.toThrow(message)
    expect(() => new MemoryLog({ retention })).toThrow(message)
    expect(() => createHub({ retention })).toThrow(message)
  })
})

describe('LmdbLog with rules that change between two starts', () => {
  it('applies the new rules to existing entries', async () => {
    const path = newFolder()
    const first = await openLog({ path, retention: [{ match: '*', entries: 100 }] })
    for (const data of ['1', '2', '3']) await first.append([on('a', data), on('b', data), on('c', data)])
    await first.close()
    const retention = [
      { match: 'a', last: 1 },
      { match: 'b', entries: 2 }
    ]
    const second = await openLog({ path, retention })
    await expect.poll(() => keptIn(second)).toEqual(['1', '2', '2', '3', '3', '3'])
    expect(await readAll(second, { filter: only('a') })).toMatchObject({ lost: false })
    expect(await readAll(second, { filter: only('b') })).toMatchObject({ lost: true })
    await second.append([on('b', '4'), on('a', '4')])
    expect(await keptIn(second)).toEqual(['1', '2', '3', '3', '4', '4'])
  })

  it('recounts existing entries, so that a bound holds from then on', async () => {
    const path = newFolder()
    const first = await openLog({ path })
    await first.append(many(2_500))
    await first.close()
    const second = await openLog({ path, retention: [{ match: 't', entries: 2_500 }] })
    expect(second.first).toBe(1)
    await second.append(many(10))
    expect(second.first).toBe(11)
  })

  it('removes superseded entries in steps, while new entries are appended', async () => {
    const path = newFolder()
    const first = await openLog({ path })
    await first.append(Array.from({ length: 3_000 }, (_, at) => on(`t${at % 10}`, `${at}`)))
    await first.close()
    const second = await openLog({ path, retention: [{ match: '*', last: 2 }] })
    for (let topic = 0; topic < 5; topic++) await second.append([on(`t${topic}`, 'new')])
    const kept = [...many(15).map((_, at) => `${2_985 + at}`), ...Array(5).fill('new')]
    await expect.poll(() => keptIn(second)).toEqual(kept)
    expect(await readAll(second)).toMatchObject({ lost: false })
  })

  it(`keeps what the rules state when it is killed during a change that is reverted (seed ${seed})`, async () => {
    const path = newFolder()
    const random = randomFrom(seed)
    const retention = [{ match: '*', entries: 24_000 }]
    for (let round = 0; round < (isSoak ? 30 : 3); round++) {
      // A kill of the other process loses nothing that this one has given to the operating system.
      const log = await openLog({ path, retention, durability: 'os' })
      for (let topic = 0; topic < 24_000; topic += 2_000) {
        await log.append(Array.from({ length: 2_000 }, (_, at) => on(`t${(topic + at) % 12_000}`, '')))
      }
      // Reading all entries at each poll would be most of the work of the test.
      await expect.poll(() => log.head - log.first).toBe(23_999)
      expect(await keptIn(log)).toHaveLength(24_000)
      await log.close()
      const change = await startRuleChange(path, [{ match: '*', last: 1 }])
      await sleep(random.between(0, 250))
      await change.kill()
    }
  })
})

it('LmdbLog stays small on disk, regardless of how much is published', async () => {
  const path = newFolder()
  const log = await openLog({
    path,
    retention: [
      { match: 'last/{x}', last: 1 },
      { match: '*', bytes: 2 ** 20 }
    ]
  })
  const megabyte = () => statSync(join(path, 'data.mdb')).size / 2 ** 20
  const publish = async (times: number) => {
    for (let time = 0; time < times; time++) {
      await log.append(many(100, { topics: [`topic ${time % 37}`], data: 'x'.repeat(1_000) }))
      await log.append(many(20, { topics: [`last/${time % 5}`], id: `id ${time}` }))
    }
  }
  await publish(100)
  const settled = megabyte()
  await publish(400)
  expect(megabyte()).toBeLessThanOrEqual(settled * 1.25)
  expect(settled).toBeLessThan(8)
})
