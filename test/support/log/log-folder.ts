// Folders for logs, and logs in them, which are removed when the test ends; and processes that write to a log until killed.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { open as openLmdb } from 'lmdb'
import { expect, onTestFinished } from 'vitest'
import {
  type Entry,
  type Filter,
  LmdbLog,
  type LmdbLogOptions,
  type Log,
  type RetentionRule,
  type Update
} from '../../../dist/index.js'

export function newFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'tidings-log-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

export async function openLog(options: Partial<LmdbLogOptions> = {}): Promise<LmdbLog> {
  const log = await LmdbLog.open({ path: newFolder(), ...options })
  onTestFinished(() => log.close())
  return log
}

export const everything: Filter = { admits: () => true }
/** Admits one topic; with `byIndex`, the filter names it for the topic index. */
export const only = (topic: string, byIndex = true): Filter => ({
  admits: (topics) => topics.includes(topic),
  ...(byIndex && { topics: [topic] })
})

export const update = (data: string, fields: Partial<Update> = {}): Update => ({ topics: ['t'], data, ...fields })
export const many = (count: number, fields: Partial<Update> = {}) =>
  Array.from({ length: count }, (_, number) => update(String(number + 1), fields))
export const dataOf = (entries: readonly Entry[]) => entries.map((entry) => entry.update.data)

/** Reads all entries that a filter admits, and whether entries were lost. */
export async function readAll(log: Log, { after = 0, filter = everything, entries = 1_000 } = {}) {
  const read: Entry[] = []
  let lost = false
  for (let cursor = after; ; ) {
    const page = await log.read(cursor, filter, { entries, bytes: 2 ** 20 })
    read.push(...page.entries)
    lost ||= page.lost
    if (page.cursor === cursor) return { entries: read, lost }
    cursor = page.cursor
  }
}

/** Appends entries with several topics, and expects that reads by topic return exactly what a full scan returns. */
export async function compareIndexWithScan(log: Log): Promise<void> {
  const topics = ['a', 'b', 'nul\0', 'ü/"\\']
  const updates = Array.from({ length: 200 }, (_, at) => {
    const own = topics.filter((_topic, place) => ((at + 1) * 7 + place * 3) % 5 < 2)
    return update(String(at + 1), { topics: own.concat('z') })
  })
  await log.append(updates)
  for (const topic of topics) {
    for (const after of [0, 50, 199]) {
      const found = await readAll(log, { after, filter: only(topic), entries: 7 })
      expect(found).toEqual(await readAll(log, { after, filter: only(topic, false), entries: 7 }))
    }
    for (const count of [1, 5, 1_000])
      expect(await log.newest(only(topic), count)).toBe(await log.newest(only(topic, false), count))
  }
}

/** The data of all retained entries. */
export const keptIn = async (log: Log) => dataOf((await readAll(log)).entries)

/** A folder with an older or newer format: entries without a checksum, and counters that may be wrong. */
export async function oldFolder(format: number, data: readonly string[], retention: readonly RetentionRule[] = []) {
  const path = newFolder()
  const root = openLmdb({ path })
  const entries = root.openDB({ name: 'entries', encoding: 'msgpack' })
  const index = root.openDB({ name: 'index', encoding: 'ordered-binary', dupSort: true })
  const meta = root.openDB({ name: 'meta', encoding: 'msgpack' })
  await root.transaction(async () => {
    for (const [at, text] of data.entries()) {
      await entries.put(at + 1, [1_000, ['t'], text])
      await index.put('ct', at + 1)
    }
    await meta.put('log', { format, epoch: 'old' })
    const tallies = retention.map(() => ({ after: 0, entries: 1_000, bytes: 1_000 }))
    await meta.put('state', { head: data.length, time: 1_000, floor: 0, tallies })
    await meta.put('rules', JSON.stringify(retention))
  })
  await root.close()
  return path
}

const library = fileURLToPath(new URL('../../../dist/index.js', import.meta.url))

/** A process that appends three entries at a time, and prints the offset of each acknowledged entry. It ends if one is refused. */
export async function startWriter(
  path: string,
  durability: 'flush' | 'os',
  { within = [], retention = [] }: { within?: readonly string[]; retention?: readonly RetentionRule[] } = {}
) {
  const script = `import { LmdbLog } from ${JSON.stringify(library)}
    const log = await LmdbLog.open(${JSON.stringify({ path, durability, retention })})
    for (let number = 1; ; number += 3) {
      const entries = await log.append([0, 1, 2].map((more) => ({ topics: ['t'], data: String(number + more) })))
      process.stdout.write(log.epoch + ' ' + entries.at(-1).offset + '\\n')
    }`
  const [program = '', ...args] = [...within, process.execPath, '--input-type=module', '-e', script]
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => kill(child))
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk
  })
  while (output.split('\n').length < 20) await once(child.stdout, 'data')
  return {
    pid: child.pid as number,
    /** Whether it has not ended. */
    get isRunning() {
      return child.exitCode === null && child.signalCode === null
    },
    /** The last printed offset. */
    get offset() {
      return lastOf(output)
    },
    /** Kills it with SIGKILL; returns the last printed offset. */
    async kill() {
      await kill(child)
      return { epoch: output.split(' ')[0] ?? '', offset: lastOf(output) }
    }
  }
}

function lastOf(output: string): number {
  const end = output.lastIndexOf('\n')
  return Number(output.slice(output.lastIndexOf(' ', end) + 1, end))
}

/** A process that opens a log with other rules; resolves while the change is in progress; `kill` stops it at any point. */
export async function startRuleChange(path: string, retention: readonly RetentionRule[]) {
  const script = `import { LmdbLog } from ${JSON.stringify(library)}
    process.stdout.write('begins')
    const log = await LmdbLog.open(${JSON.stringify({ path, retention })})
    setInterval(() => log.head, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => kill(child))
  await once(child.stdout, 'data')
  return { kill: () => kill(child) }
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'close')
  child.kill('SIGKILL')
  await gone
}

/**
 * The reason why a small disk is unavailable here; undefined if it is available.
 * @throws Error with `CI=true`, where a suite that cannot run is a failure.
 */
export function noSmallDisk(): string | undefined {
  const obstacle = findObstacle()
  if (obstacle && process.env.CI === 'true') throw new Error(obstacle)
  return obstacle
}

function findObstacle(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'a small disk needs Linux, and root'
  const probe = mkdtempSync(join(tmpdir(), 'tidings-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', probe], { stdio: 'pipe' })
    execFileSync('umount', [probe])
    return undefined
  } catch (error) {
    return `a small disk cannot be mounted: ${(error as Error).message.trim().split('\n').at(-1)}`
  } finally {
    rmSync(probe, { recursive: true, force: true })
  }
}

/** A small disk, removed when the test ends. */
export function smallDisk(mebibytes: number): string {
  const path = join(newFolder(), 'disk')
  mkdirSync(path)
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', path])
  onTestFinished(() => void execFileSync('umount', ['-l', path]))
  return path
}

/** Fills a small disk completely, with the named file. */
export function fillDisk(disk: string, file: string): void {
  const { bavail, bsize } = statfsSync(disk)
  writeFileSync(file, Buffer.alloc(bavail * bsize))
}

/** The entries that a log delivers from now on; the list grows. */
export async function followed(log: Log): Promise<Entry[]> {
  const seen: Entry[] = []
  await log.follow((entries) => void seen.push(...entries))
  return seen
}
