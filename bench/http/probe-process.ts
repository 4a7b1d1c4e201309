// A process of its own that measures what a lone user notices while the server is busy with others: the time until an update arrives,
// until a publish is answered, and until /healthz is. Its event loop has nothing else to do.
import { setTimeout as sleep } from 'node:timers/promises'
import { percentile } from '../support/stats.ts'
import type { ProbeResult } from './probe.ts'
import { Lane } from './pump.ts'
import { requestText } from './requests.ts'
import { mark, Streams } from './streams.ts'

const port = Number(process.argv[2])
const everyMs = 10
const text = { 'Content-Type': 'text/plain' }

const streams = new Streams()
const delivered: number[] = []
let publishedAt = 0
streams.onEvents = () => {
  delivered.push(performance.now() - publishedAt)
}
await streams.open(port, 1, () => ({ method: 'GET', path: '/subscribe?topic=lone' }))

const publish = requestText(port, { method: 'POST', path: '/publish?topic=lone', headers: text, body: `lone${mark}` })
const healthz = requestText(port, { method: 'GET', path: '/healthz' })
const isOver = new AbortController()
process.once('message', () => isOver.abort())

/** One request after the other, with a pause between them. */
async function repeat(request: string, sending: () => void): Promise<number[]> {
  const lane = await Lane.open(port)
  const latencies: number[] = []
  while (!isOver.signal.aborted) {
    const startedAt = performance.now()
    sending()
    await lane.send(request)
    latencies.push(performance.now() - startedAt)
    await sleep(everyMs)
  }
  lane.close()
  return latencies
}

process.send?.('ready')
const [publishes, checks] = await Promise.all([
  repeat(publish, () => {
    publishedAt = performance.now()
  }),
  repeat(healthz, () => {})
])
const p99 = (latencies: readonly number[]) => percentile(latencies, 99)
process.send?.({
  stream: p99(delivered),
  publish: p99(publishes),
  healthz: p99(checks),
  samples: delivered.length
} satisfies ProbeResult)
process.disconnect()
streams.leave()
