// The hubs of the benchmarks with many topics: how each is subscribed to and published to.
import { betterSse } from '../contenders/better-sse.ts'
import type { Contender, Server } from '../contenders/contender.ts'
import { nchan } from '../contenders/nchan.ts'
import { startNode } from '../contenders/program.ts'
import { resWrite } from '../contenders/res-write.ts'
import { tidings } from '../contenders/tidings.ts'
import { programOf } from './before.ts'
import { key, publisherToken } from './contenders.ts'
import { mercureObstacle, mercureVersion, startMercure } from './mercure.ts'
import type { RequestParts } from './requests.ts'

export interface Hub {
  readonly name: string
  version(): string
  /** The reason why it cannot run here. */
  obstacle(): string | undefined
  start(connections: number): Promise<Server>
  /** @param after the id of the last received event */
  subscribe(topic: string, after?: string): RequestParts
  publish(topic: string, data: string): RequestParts
  /** Whether a client that reconnects receives what it missed. */
  readonly keepsHistory: boolean
}

const accept = { Accept: 'text/event-stream' }
const text = { 'Content-Type': 'text/plain' }
const resume = (after: string | undefined) => (after === undefined ? {} : { 'Last-Event-ID': after })

const simple: Pick<Hub, 'subscribe' | 'publish' | 'keepsHistory'> = {
  subscribe: (topic, after) => ({
    method: 'GET',
    path: `/subscribe?topic=${topic}`,
    headers: { ...accept, ...resume(after) }
  }),
  publish: (topic, data) => ({ method: 'POST', path: `/publish?topic=${topic}`, headers: text, body: data }),
  keepsHistory: true
}

function ours(name: string, before: string | undefined, flags: readonly string[]): Hub {
  const { version, obstacle } = tidings
  const start = () => startNode(programOf(before), 'serve', '--port', '0', ...flags)
  return { ...simple, name, version, obstacle, start }
}

/** A program without a log. */
function withoutHistory({ name, version, obstacle, start }: Contender): Hub {
  return { ...simple, name, version, obstacle, start, keepsHistory: false }
}

function mercure(): Hub {
  let token: string | undefined
  const bearer = () => {
    token ??= publisherToken('0.x')
    return { Authorization: `Bearer ${token}` }
  }
  return {
    name: 'mercure-go',
    version: () => mercureVersion,
    obstacle: mercureObstacle,
    start: () => startMercure(key),
    subscribe: (topic, after) => ({
      method: 'GET',
      path: `/.well-known/mercure?topic=${topic}`,
      headers: { ...accept, ...resume(after) }
    }),
    publish: (topic, data) => ({
      method: 'POST',
      path: '/.well-known/mercure',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...bearer() },
      body: `topic=${topic}&data=${data}`
    }),
    // Its transport in memory keeps none.
    keepsHistory: false
  }
}

/** @param before also an earlier commit, or a folder with its build */
export function hubs(before: string | undefined, flags: readonly string[] = []): Hub[] {
  const { name, version, obstacle, start } = nchan
  return [
    ours('tidings', undefined, flags),
    ...(before === undefined ? [] : [ours('tidings-before', before, flags)]),
    { ...simple, name, version, obstacle, start },
    mercure(),
    withoutHistory(betterSse),
    withoutHistory(resWrite)
  ]
}
