// Overwrites parts of a log's data file, and reads the file in a child process, since LMDB may crash on it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'
import type { Random } from '../random.ts'

const pageSize = 4_096
const library = new URL('../../../dist/index.js', import.meta.url).href

/** Overwrites a page or a part of it. Returns a description. */
export function corrupt(file: string, pages: number, random: Random): string {
  const page = random.between(0, pages - 1)
  const start = page * pageSize
  const noise = (size: number) => Buffer.from(Array.from({ length: size }, () => random.between(0, 255)))
  const sector = 512 * random.between(0, 7)
  const byte = random.between(0, pageSize - 8)
  const [what, bytes, position] = [
    ['noise', noise(pageSize), start],
    ['zeros', Buffer.alloc(pageSize), start],
    ['another page', readAt(file, random.between(0, pages - 1) * pageSize, pageSize), start],
    ['a sector of noise', noise(512), start + sector],
    ['a sector of zeros', Buffer.alloc(512), start + sector],
    ['8 bytes of noise', noise(8), start + byte]
  ][random.between(0, 5)] as [string, Buffer, number]
  overwrite(file, position, bytes)
  return `${what} at byte ${position}, in page ${page}`
}

export function overwrite(file: string, position: number, what: Buffer | string): void {
  const bytes = Buffer.from(what)
  const descriptor = openSync(file, 'r+')
  writeSync(descriptor, bytes, 0, bytes.length, position)
  closeSync(descriptor)
}

function readAt(file: string, position: number, size: number): Buffer {
  const bytes = Buffer.alloc(size)
  const descriptor = openSync(file, 'r')
  readSync(descriptor, bytes, 0, size, position)
  closeSync(descriptor)
  return bytes
}

/** What a reader found in a folder: all entries and the entries of each topic, as text, or an error. */
export interface Found {
  readonly kept?: string
  readonly error?: string
}

/** A child process that reads folders one by one; `read` returns an error if the process exits or hangs. */
export function startReader(topics: readonly string[]): { read(path: string): Promise<Found> } {
  const script = `const { LmdbLog } = await import(${JSON.stringify(library)})
    const { createInterface } = await import('node:readline')
    const topics = ${JSON.stringify(topics)}
    async function all(log, filter) {
      const kept = []
      let lost = false
      for (let cursor = 0; ; ) {
        const page = await log.read(cursor, filter, { entries: 500, bytes: 2 ** 20 })
        kept.push(...page.entries.map(({ offset, id, time, update }) => [offset, id, time, update]))
        // The end of a page depends on elapsed time.
        lost ||= page.lost
        if (page.cursor === cursor) return [kept, lost]
        cursor = page.cursor
      }
    }
    for await (const path of createInterface(process.stdin)) {
      let log
      try {
        log = await LmdbLog.open({ path })
        const kept = [log.epoch, log.head, await all(log, { admits: () => true })]
        for (const topic of topics) {
          const filter = { topics: [topic], admits: (own) => own.includes(topic) }
          kept.push(await all(log, filter), await log.newest(filter, 3), await log.locate('id ' + topic))
        }
        await log.append([{ topics: ['t'], data: 'more' }])
        console.log(JSON.stringify({ kept: JSON.stringify(kept) }))
      } catch (error) {
        console.log(JSON.stringify({ error: error.name + ': ' + error.message }))
      }
      await log?.close()
    }`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(child, 'close')
  onTestFinished(async () => {
    child.stdin.end()
    await ended
  })
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  return {
    async read(path) {
      child.stdin.write(`${path}\n`)
      const { value } = await lines.next()
      if (value === undefined) return { error: `the process ended: ${(await ended).join(' ')}` }
      return JSON.parse(value) as Found
    }
  }
}
