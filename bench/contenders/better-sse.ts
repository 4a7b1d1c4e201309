// The better-sse library, as its guide for channels shows it.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Contender } from './contender.ts'
import { startNode } from './program.ts'

const manifest = new URL('../../../node_modules/better-sse/package.json', import.meta.url)

export const betterSse: Contender = {
  name: 'better-sse',
  subscribePath: '/subscribe',
  publishPath: '/publish',
  version: () => (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version,
  obstacle: () => undefined,
  start: () => startNode(fileURLToPath(new URL('./servers/better-sse.js', import.meta.url)))
}
