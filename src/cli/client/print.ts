// Prints updates for people or for programs, and says what the hub reports between them.
import { harmless, painter } from './paint.ts'

/** An update as the server sends it in JSON. */
export interface Envelope {
  readonly topic: string
  readonly type: string
  readonly data: string
  readonly time: number
}

/** Prints the JSON of an update: as it is with `json`, otherwise its data, on a terminal with time, topic and type. */
export function updatePrinter(json: boolean): (text: string) => void {
  if (json) return (text) => void process.stdout.write(`${text}\n`)
  if (!process.stdout.isTTY) return (text) => void process.stdout.write(`${read(text).data}\n`)
  const paint = painter(process.stdout)
  return (text) => {
    const { time, topic, type, data } = read(text)
    const head = [paint(clock(time), 'dim'), paint(harmless(topic), 'cyan')]
    if (type !== 'message') head.push(paint(harmless(type), 'yellow'))
    process.stdout.write(`${head.join(' ')} ${harmless(data)}\n`)
  }
}

function read(text: string): Envelope {
  return JSON.parse(text) as Envelope
}

function clock(time: number): string {
  return new Date(time).toLocaleTimeString('en-GB')
}

export interface Gap {
  readonly requested: string
  readonly resumedAfter: string
  readonly reason: string
}

/** The sentence for a gap. */
export function describeGap({ requested, resumedAfter, reason }: Gap): string {
  const reasons: Record<string, string> = {
    trimmed: 'some updates since then are no longer in history',
    epoch: 'that history no longer exists',
    unknown: 'no update in history has that id'
  }
  return `gap (${reason}) after ${requested}: ${reasons[reason] ?? reason}; resuming after ${resumedAfter}`
}

/** The sentence for a deletion. */
export function describeDeletion({ topics, id }: { readonly topics: readonly string[]; readonly id?: string }): string {
  const what = id === undefined ? 'all earlier updates' : `the update ${id}`
  return harmless(`deleted: ${what} of ${topics.join(', ')}`)
}
