// The hub of many tutorials: a set of responses, and a write to each.
import { fileURLToPath } from 'node:url'
import type { Contender } from './contender.ts'
import { startNode } from './program.ts'

export const resWrite: Contender = {
  name: 'res.write',
  subscribePath: '/subscribe',
  publishPath: '/publish',
  version: () => process.version,
  obstacle: () => undefined,
  start: () => startNode(fileURLToPath(new URL('./servers/res-write.js', import.meta.url)))
}
