// `tidings history`: prints updates that are kept, page by page, without a stream.
import { Command } from 'commander'
import { Failure, refusal } from './client/failure.ts'
import { collect, seconds, type TargetFlags, targetOf, whole, withTargetFlags } from './client/flags.ts'
import { describeGap, type Gap, updatePrinter } from './client/print.ts'
import { type Ask, agentFor, reachable, type Target } from './client/request.ts'
import { run, say } from './client/run.ts'

interface Flags extends TargetFlags {
  readonly topic?: readonly string[]
  readonly after?: string
  readonly last?: number
  readonly limit?: number
  readonly wait?: number
  readonly json?: boolean
  readonly position?: boolean
}

interface Page {
  readonly updates: readonly object[]
  readonly lastEventId: string
  readonly gap: Gap | null
  readonly more: boolean
}

const examples = `
Examples:
  tidings history --topic orders/17
  tidings history --last 10 --json
  tidings history --topic prices --after '#91mr3tbe-2s' --wait 30s --position

Without --after and --last, it begins with the oldest update. A gap is reported on stderr.
`

export function historyCommand(): Command {
  const command = new Command('history')
    .option('--topic <selector>', 'a topic, a/{x}, or *; repeat it for several (default: all)', collect)
    .option('--after <id>', 'begin after this id')
    .option('--last <n>', 'begin with the newest n updates', whole(1))
    .option('--limit <n>', 'print at most n updates (default: all)', whole(1))
    .option('--wait <time>', 'if there is no update, wait for one, at most 60s', seconds)
    .option('--json', 'print one JSON object per line: topic, topics, id, type, data, time')
    .option('--position', 'print the id after which the next call continues, as the last line')
  return withTargetFlags(command)
    .addHelpText('after', examples)
    .action((flags: Flags) => {
      if (flags.last && flags.after) command.error('error: give only one of --last and --after')
      return run(() => history(flags))
    })
}

async function history(flags: Flags): Promise<void> {
  const target = targetOf(flags)
  const agent = agentFor(target, 1)
  const print = updatePrinter(flags.json === true)
  let left = flags.limit ?? Number.POSITIVE_INFINITY
  let query = firstQuery(flags)
  for (;;) {
    query.set('limit', String(Math.min(left, 1_000)))
    const page = await get(target, { path: `updates?${query}`, agent })
    if (page.gap) say(describeGap(page.gap))
    for (const update of page.updates) print(JSON.stringify(update))
    left -= page.updates.length
    if (!page.more || left <= 0) {
      if (flags.position) process.stdout.write(`${page.lastEventId}\n`)
      agent.destroy()
      return
    }
    query = queryAfter(flags, page.lastEventId)
  }
}

function firstQuery(flags: Flags): URLSearchParams {
  const query = queryAfter(flags, flags.after ?? 'earliest')
  if (flags.wait !== undefined) query.set('wait', `${flags.wait}ms`)
  if (flags.last === undefined) return query
  query.delete('after')
  query.set('last', String(flags.last))
  return query
}

function queryAfter({ topic = [] }: Flags, id: string): URLSearchParams {
  const query = new URLSearchParams(topic.map((one): [string, string] => ['topic', one]))
  query.set('after', id)
  return query
}

async function get(target: Target, request: Ask): Promise<Page> {
  const answer = await reachable(target, { ...request, headers: { Accept: 'application/json' } })
  if (answer.status !== 200) throw refusal(answer)
  try {
    const page = JSON.parse(answer.text) as Page
    if (Array.isArray(page.updates)) return page
  } catch {}
  throw new Failure(`${target.base.href} answers, but is not a tidings server; check the URL`)
}
