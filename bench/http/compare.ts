// The figures of docs/performance.md from one command: publish, one-to-one and connect, one after the other, with the peers of each.
import { connect } from './connect.ts'
import { oneToOne } from './one-to-one.ts'
import { publish } from './publish.ts'

export const usage = `npm run bench -- compare [options]
  --before COMMIT    also measure an earlier commit of this repository, which is built first
  --rounds N         (default 3)
  --seconds N        of each measurement (default 3)`

/** What the table of publishing shows; the first is the reference of the ratios. */
const ours = ['healthz', 'no-keys', 'token', 'mercure-0.x', 'folder', 'ndjson']
const peers = ['nchan', 'mercure-go', 'better-sse', 'res.write', 'node:http']

export async function compare(args: string[], command: string): Promise<void> {
  const isBefore = args.some((arg) => arg.startsWith('--before'))
  const before = isBefore ? ours.map((name) => `${name}-before`) : []
  const given = ['--rounds', '3', '--seconds', '3', ...args]
  await publish([...given, '--only', [...ours, ...before, ...peers].join(',')], command)
  await oneToOne.run(given, command)
  await connect.run(given, command)
}
