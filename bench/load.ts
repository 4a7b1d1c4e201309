// The load process: it subscribes, publishes and measures as the benchmark requests.
import { measure } from './load/measure.ts'
import type { Answer, Ask, Target } from './load/protocol.ts'
import { Subscribers } from './load/subscribers.ts'

const target = JSON.parse(process.argv[2] ?? '{}') as Target
const subscribers = new Subscribers(target)

async function answer(ask: Ask): Promise<Answer> {
  switch (ask.verb) {
    case 'subscribe':
      await subscribers.open(ask.count)
      return {}
    case 'leave':
      subscribers.leave()
      return {}
    case 'measure':
      return { measurement: await measure(target, subscribers, ask.window) }
  }
}

process.on('message', (ask: Ask) => {
  answer(ask).then(
    (reply) => process.send?.(reply),
    (error: Error) => process.send?.({ problem: error.message } satisfies Answer)
  )
})
// The load process ends with its benchmark.
process.on('disconnect', () => process.exit())
