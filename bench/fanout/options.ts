// Reads the command line of the fan-out benchmark.
import { parseArgs } from 'node:util'
import type { Contender } from '../contenders/contender.ts'
import { SMALLEST_PAYLOAD } from '../load/counter.ts'
import { named, number } from '../support/flags.ts'
import { changed, type Scenario, scenarios } from './scenarios.ts'

export interface Options {
  scenarios: Scenario[]
  contenders: Contender[]
  install: boolean
}

export const usageOf = (bench: string) => `npm run bench -- ${bench} [options]
  --scenario a,b     of ${scenarios.map(({ name }) => name).join(', ')} (default: all)
  --only a,b         these contenders only, in this order; ratios are to tidings, or else to the first
  --subscribers N    --rounds N    --seconds N    --bytes N (at least ${SMALLEST_PAYLOAD})
  --in-flight N      publishes in flight, where the scenario publishes as fast as it can
  --per-second N     updates a second, where the scenario is steady
  --install          install nginx and nchan with apt-get when they are missing`

export function readOptions(args: string[], contenders: readonly Contender[]): Options {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    args,
    options: {
      scenario: text,
      only: text,
      subscribers: text,
      rounds: text,
      seconds: text,
      bytes: text,
      'in-flight': text,
      'per-second': text,
      install: { type: 'boolean', default: false }
    }
  })
  const changes = {
    ...number('subscribers', '--subscribers', values.subscribers),
    ...number('rounds', '--rounds', values.rounds),
    ...number('seconds', '--seconds', values.seconds),
    ...number('payloadBytes', '--bytes', values.bytes, SMALLEST_PAYLOAD),
    ...number('inFlight', '--in-flight', values['in-flight']),
    ...number('perSecond', '--per-second', values['per-second'])
  }
  return {
    scenarios: named(values.scenario, scenarios).map((scenario) => changed(scenario, changes)),
    contenders: named(values.only, contenders),
    install: values.install
  }
}
