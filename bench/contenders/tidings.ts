// The hub of this repository, as `npm start` would start it.
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Contender } from './contender.ts'
import { startNode } from './program.ts'

const root = new URL('../../../', import.meta.url)
const program = fileURLToPath(new URL('dist/cli/main.js', root))

export const tidings: Contender = {
  name: 'tidings',
  subscribePath: '/subscribe?topic=bench',
  publishPath: '/publish?topic=bench',
  version: () => (JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as { version: string }).version,
  obstacle: () => (existsSync(program) ? undefined : 'it is not built: there is no dist/cli/main.js'),
  start: () => startNode(program, 'serve', '--port', '0')
}
