// LmdbLog with a data file that the disk has damaged: it delivers only what was written, and its error names the file.
import { cpSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { LogError } from '../../dist/index.js'
import { crc32, crc32ByTable } from '../../dist/log/lmdb/files/crc32.js'
import { corrupt, overwrite, startReader } from '../support/log/corruption.ts'
import { keptIn, newFolder, openLog, update } from '../support/log/log-folder.ts'
import { isSoak, randomFrom, seed } from '../support/random.ts'

const runs = isSoak ? 2_000 : 120
const topics = Array.from({ length: 30 }, (_, number) => `topic ${number}`)

/** A log with every kind of page: long values, many topics, topics with many entries, and free pages. */
async function closedLog(): Promise<string> {
  const path = newFolder()
  const log = await openLog({
    path,
    retention: [
      { match: 'topic 1', last: 1 },
      { match: '*', entries: 1_500 }
    ]
  })
  for (let batch = 0; batch < 20; batch++) {
    const updates = topics.flatMap((topic, at) => [
      update('x'.repeat(batch === 3 ? 20_000 : at * 5), { topics: [topic, `alternate ${at % 3}`], id: `id ${topic}` }),
      ...Array.from({ length: at === 2 ? 100 : 3 }, () => update('y', { topics: [topic] }))
    ])
    await log.append(updates, {
      keys: updates.map((_, at) => ({ key: `${batch} ${at}`, fingerprint: 'p' })),
      ttlMs: 60_000
    })
  }
  await log.close()
  return path
}

function copyOf(folder: string): string {
  const path = newFolder()
  cpSync(join(folder, 'data.mdb'), join(path, 'data.mdb'))
  return path
}

it(`LmdbLog delivers what was written or names the damaged file, ${runs} times (seed ${seed})`, async () => {
  const random = randomFrom(seed)
  const whole = await closedLog()
  const pages = statSync(join(whole, 'data.mdb')).size / 4_096
  const reader = startReader(topics)
  const { kept } = await reader.read(copyOf(whole))
  expect(kept).toContain('topic 29')
  let refused = 0
  for (let run = 0; run < runs; run++) {
    const path = copyOf(whole)
    const what = corrupt(join(path, 'data.mdb'), pages, random)
    const found = await reader.read(path)
    if (found.error === undefined) expect(found.kept === kept, what).toBe(true)
    else expect(found.error, what).toContain(`LogError: ${join(path, 'data.mdb')}`)
    if (found.error !== undefined) refused++
  }
  // The other runs hit a free page, or the unused end of a page.
  expect(refused).toBeGreaterThan(runs / 4)
}, 600_000)

it('LmdbLog detects a sector of zeros at the end of any page of a small log', async () => {
  const whole = newFolder()
  const log = await openLog({ path: whole })
  await log.append([update('a', { topics: ['topic 0'] }), update('b', { topics: ['topic 1'] })])
  await log.close()
  const reader = startReader(topics)
  const { kept } = await reader.read(copyOf(whole))
  let detected = 0
  for (let end = 4_096; end <= statSync(join(whole, 'data.mdb')).size; end += 4_096) {
    const path = copyOf(whole)
    overwrite(join(path, 'data.mdb'), end - 512, Buffer.alloc(512))
    const found = await reader.read(path)
    if (found.error === undefined) expect(found.kept === kept, `the page that ends at byte ${end}`).toBe(true)
    else detected++
  }
  expect(detected).toBeGreaterThan(3)
})

it('LmdbLog detects an entry that was changed while the log was open', async () => {
  const path = newFolder()
  const file = join(path, 'data.mdb')
  const log = await openLog({ path })
  await log.append([update('before'), update('needle')])
  const bytes = readFileSync(file)
  for (let at = bytes.indexOf('needle'); at !== -1; at = bytes.indexOf('needle', at + 1)) overwrite(file, at, 'noodle')
  await expect(keptIn(log)).rejects.toThrow(`${file} is damaged: entries 2 is not what was written there`)
  await expect(keptIn(log)).rejects.toBeInstanceOf(LogError)
})

it('the checksum is the same with and without the zlib function of Node', () => {
  for (const text of ['', 'a', 'x'.repeat(1_000), '\u{1f4e3}']) {
    const bytes = Buffer.from(text)
    expect(crc32ByTable(bytes, 7)).toBe(crc32(bytes, 7))
  }
})
