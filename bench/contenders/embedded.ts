// One hub in the servers of applications, with all defaults.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Contender } from './contender.ts'
import { startNode } from './program.ts'
import { tidings } from './tidings.ts'

/** How the hub is embedded, and the package of the server. */
const ways = {
  'node:http': undefined,
  'Hono, with env': '@hono/node-server',
  'Hono, with the Request': '@hono/node-server'
}

const program = fileURLToPath(new URL('./servers/embedded.js', import.meta.url))

export const embeddings: readonly Contender[] = Object.entries(ways).map(([name, server]) => ({
  name,
  subscribePath: '/subscribe?topic=bench',
  publishPath: '/publish?topic=bench',
  version: () => (server ? `${versionOf(server)} of ${server}` : tidings.version()),
  obstacle: () => tidings.obstacle(),
  start: () => startNode(program, name)
}))

function versionOf(name: string): string {
  const manifest = new URL(`../../../node_modules/${name}/package.json`, import.meta.url)
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version
}
