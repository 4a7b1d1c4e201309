// What the publish benchmark sends, and to whom.
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { betterSse } from '../contenders/better-sse.ts'
import type { Contender, Server } from '../contenders/contender.ts'
import { nchan } from '../contenders/nchan.ts'
import { startNode } from '../contenders/program.ts'
import { resWrite } from '../contenders/res-write.ts'
import { tidings } from '../contenders/tidings.ts'
import { programOf } from './before.ts'
import { mercureObstacle, mercureVersion, startMercure } from './mercure.ts'
import type { RequestParts } from './requests.ts'

export interface PublishContender {
  readonly name: string
  readonly request: RequestParts
  /** Updates in one request; 0 for a request that publishes nothing. */
  readonly updates: number
  version(): string
  obstacle(): string | undefined
  start(): Promise<Server>
}

export const key = 'a secret of at least thirty-two bytes'
export const data = 'x'.repeat(64)

/** A token that may publish to every topic. */
export function publisherToken(dialect: '1.0' | '0.x'): string {
  const args = [programOf(undefined), 'token', '--publish', '*', '--key', key, '--dialect', dialect, '--expires', '1d']
  if (dialect === '1.0') args.push('--audience', 'http://127.0.0.1/.well-known/mercure')
  return execFileSync(process.execPath, args, { encoding: 'utf8' }).trim()
}

const text = { 'Content-Type': 'text/plain' }
const form = { 'Content-Type': 'application/x-www-form-urlencoded' }

/** The request of the simple API, and of Mercure's. */
const simple = (headers: Record<string, string> = {}): RequestParts => ({
  method: 'POST',
  path: '/publish?topic=bench',
  headers: { ...text, ...headers },
  body: data
})
const mercureForm = (headers: Record<string, string>): RequestParts => ({
  method: 'POST',
  path: '/.well-known/mercure',
  headers: { ...form, ...headers },
  body: `topic=bench&data=${data}`
})
const bearer = (dialect: '1.0' | '0.x') => ({ Authorization: `Bearer ${publisherToken(dialect)}` })

const withKeys = ['--publisher-key', key, '--anonymous', '--audience', 'http://127.0.0.1/.well-known/mercure']

function ours(
  program: string,
  name: string,
  request: RequestParts,
  flags: readonly string[] = [],
  updates = 1
): PublishContender {
  return {
    name,
    request,
    updates,
    version: tidings.version,
    obstacle: tidings.obstacle,
    start: () => startNode(program, 'serve', '--port', '0', ...flags)
  }
}

const lines = 1_000
const ndjson: RequestParts = {
  method: 'POST',
  path: '/publish',
  headers: { 'Content-Type': 'application/x-ndjson' },
  body: `${JSON.stringify({ topic: 'bench', data })}\n`.repeat(lines)
}

/** This server, on each of its ways to publish. */
function tidingsContenders(program: string, mark = ''): PublishContender[] {
  return [
    ours(program, `healthz${mark}`, { method: 'GET', path: '/healthz' }, [], 0),
    ours(program, `no-keys${mark}`, simple()),
    ours(program, `token${mark}`, simple(bearer('1.0')), withKeys),
    ours(program, `mercure-1.0${mark}`, mercureForm(bearer('1.0')), withKeys),
    ours(program, `mercure-0.x${mark}`, mercureForm(bearer('0.x')), withKeys),
    ours(program, `folder${mark}`, simple(), ['--store', './history']),
    ours(program, `ndjson${mark}`, ndjson, [], lines)
  ]
}

/** A program that broadcasts what it receives, and keeps nothing. */
function broadcaster({ name, version, obstacle, start }: Contender): PublishContender {
  return { name, request: simple(), updates: 1, version, obstacle, start: () => start(1_000) }
}

/** The first is the reference of the ratios. */
export function publishContenders(before: string | undefined): PublishContender[] {
  return [
    ...tidingsContenders(programOf(undefined)),
    ...(before === undefined ? [] : tidingsContenders(programOf(before), '-before')),
    {
      name: 'node:http',
      request: simple(),
      updates: 0,
      version: () => process.version,
      obstacle: () => undefined,
      start: () => startNode(fileURLToPath(new URL('../contenders/servers/bare.js', import.meta.url)))
    },
    {
      name: 'nchan',
      request: { ...simple(), path: nchan.publishPath },
      updates: 1,
      version: nchan.version,
      obstacle: nchan.obstacle,
      start: () => nchan.start(1_000)
    },
    {
      name: 'mercure-go',
      request: mercureForm(bearer('0.x')),
      updates: 1,
      version: () => mercureVersion,
      obstacle: mercureObstacle,
      start: () => startMercure(key)
    },
    broadcaster(betterSse),
    broadcaster(resWrite)
  ]
}
