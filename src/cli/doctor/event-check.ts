// Whether events arrive when they are published: publishes a few, on a topic that nobody has. It changes nothing else.
import { setTimeout as sleep } from 'node:timers/promises'
import { refusal } from '../client/failure.ts'
import { ask, type Target } from '../client/target.ts'
import * as changes from './changes.ts'
import { type Finding, fault, ok, time, warning } from './finding.ts'
import { Probe } from './probe.ts'

const count = 5
/** Milliseconds between one and the next. */
const pause = 150
/** An event that takes longer is held back, in milliseconds. */
const late = 1_000
/** How long to wait for the last, in milliseconds. */
const timeoutMs = 5_000
const check = 'events'

export async function events(target: Target, topic: string): Promise<Finding> {
  const headers = { Accept: 'text/event-stream', 'Accept-Encoding': 'identity' }
  const probe = new Probe(target, { path: `subscribe?topic=${topic}`, headers })
  try {
    // Where it is held back, events are published all the same.
    await probe.until(({ first }) => first !== undefined, late)
    const sent = await publish(target, topic)
    if (!Array.isArray(sent)) return sent
    await probe.until(({ text }) => text.includes(mark(count - 1)), timeoutMs)
    return judge(
      sent,
      sent.map((_, number) => arrival(probe, number))
    )
  } finally {
    probe.close()
  }
}

const mark = (number: number) => `data: tidings-doctor ${number}\n`

/** When each was published, or why none could be. */
async function publish(target: Target, topic: string): Promise<number[] | Finding> {
  const sent: number[] = []
  for (let number = 0; number < count; number++) {
    if (number > 0) await sleep(pause)
    sent.push(performance.now())
    const request = { method: 'POST', path: `publish?topic=${topic}`, headers: { 'Content-Type': 'text/plain' } }
    const answer = await ask(target, request, `tidings-doctor ${number}`)
    if (answer.status === 200) continue
    const said = `could not be checked, since nothing may be published: ${refusal(answer).message}`
    return warning(check, answer.status === 401 || answer.status === 403 ? `${said}; say --token` : said)
  }
  return sent
}

function arrival({ pieces }: Probe, number: number): number | undefined {
  let text = ''
  return pieces.find((piece) => {
    text += piece.text
    return text.includes(mark(number))
  })?.at
}

function judge(sent: readonly number[], arrived: readonly (number | undefined)[]): Finding {
  const there = arrived.filter((at) => at !== undefined)
  if (there.length < count) {
    return fault(
      check,
      `${count - there.length} of ${count} events did not come within ${time(timeoutMs)}`,
      changes.buffering
    )
  }
  const slowest = Math.max(...there.map((at, index) => at - (sent[index] as number)))
  if (slowest > late) return fault(check, `events are held back: one took ${time(slowest)}`, changes.buffering)
  const apart = Math.max(...there) - Math.min(...there)
  if (apart < pause) {
    return fault(check, `events that were ${time(pause)} apart came together`, changes.buffering)
  }
  return ok(check, `${count} events came one by one, the slowest after ${time(slowest)}`)
}
