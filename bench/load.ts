// The load process: subscribes, publishes and measures as it is asked; it knows no contender, only an address.
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
// Without its benchmark a load process has no reason to live.
process.on('disconnect', () => process.exit())
