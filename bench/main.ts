// Runs the benchmark that is named, `fanout` when none is; it knows their names and nothing else about them.
import { fanout, usage } from './fanout/fanout.ts'

const benches: Record<string, (args: string[], command: string) => Promise<void>> = { fanout }

const args = process.argv.slice(2)
const command = ['npm run bench', ...(args.length > 0 ? ['--', ...args] : [])].join(' ')
const name = args[0]?.startsWith('-') === false ? args.shift() : 'fanout'
const bench = benches[name ?? '']

try {
  if (args.includes('--help')) console.log(usage)
  else if (!bench) throw new Error(`there is no benchmark "${name}"; there is ${Object.keys(benches).join(', ')}`)
  else await bench(args, command)
} catch (error) {
  console.error(`${error instanceof Error ? error.message : error}\n(--help lists the options)`)
  process.exitCode = 2
}
