// Checks that events arrive as soon as they are published, with a few updates on a topic of its own.
import { setTimeout as sleep } from 'node:timers/promises'
import { refusal } from '../client/failure.ts'
import { ask, type Target } from '../client/request.ts'
import * as changes from './changes.ts'
import { type Finding, fault, ok, time, warning } from './finding.ts'
import { Probe } from './probe.ts'

const count = 5
/** The interval between two events, in milliseconds. */
const intervalMs = 150
/** An event that takes longer was buffered, in milliseconds. */
const lateMs = 1_000
/** How long to wait for the last event, in milliseconds. */
const timeoutMs = 5_000
const check = 'events'

export async function events(target: Target, topic: string): Promise<Finding> {
  const headers = { Accept: 'text/event-stream', 'Accept-Encoding': 'identity' }
  const probe = new Probe(target, { path: `subscribe?topic=${topic}`, headers })
  try {
    // If the start of the stream is buffered, publish anyway.
    await probe.until(({ first }) => first !== undefined, lateMs)
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

/** The time of each publish, or a finding if publishing is refused. */
async function publish(target: Target, topic: string): Promise<number[] | Finding> {
  const sent: number[] = []
  for (let number = 0; number < count; number++) {
    if (number > 0) await sleep(intervalMs)
    sent.push(performance.now())
    const request = { method: 'POST', path: `publish?topic=${topic}`, headers: { 'Content-Type': 'text/plain' } }
    const answer = await ask(target, request, `tidings-doctor ${number}`)
    if (answer.status === 200) continue
    const said = `could not be checked, because publishing was refused: ${refusal(answer).message}`
    return warning(check, answer.status === 401 || answer.status === 403 ? `${said}; give --token` : said)
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
      `${count - there.length} of ${count} events did not arrive within ${time(timeoutMs)}`,
      changes.buffering
    )
  }
  const slowest = Math.max(...there.map((at, index) => at - (sent[index] as number)))
  if (slowest > lateMs) return fault(check, `events are buffered: one took ${time(slowest)}`, changes.buffering)
  const apart = Math.max(...there) - Math.min(...there)
  if (apart < intervalMs) {
    return fault(check, `events that were published ${time(intervalMs)} apart arrived together`, changes.buffering)
  }
  return ok(check, `${count} events arrived one by one, the slowest after ${time(slowest)}`)
}
