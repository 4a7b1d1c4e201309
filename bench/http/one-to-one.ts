// One publish to one of many subscribers, each with a topic of its own: the usual work of notifications.
import { setTimeout as sleep } from 'node:timers/promises'
import { percentile } from '../support/stats.ts'
import { Pump } from './pump.ts'
import { requestText } from './requests.ts'
import { mark, Streams } from './streams.ts'
import { column, type HubBench, runBench, usageOf } from './trial.ts'

const inFlight = 64
const data = 'x'.repeat(63) + mark

interface Outcome {
  readonly publishes: number
  readonly seconds: number
  readonly cpu: number
  readonly p50: number
  readonly p99: number
  /** Updates that did not arrive. */
  readonly lost: number
  readonly refused: number
}

const bench: HubBench<Outcome> = {
  name: 'one-to-one',
  describe: ({ streams, seconds }) =>
    `${streams.toLocaleString('en')} subscribers with one topic each, ${inFlight} publishes in flight, ${seconds} s after one publish to each topic`,
  columns: [
    column('publishes/s', ({ publishes, seconds }) => publishes / seconds, true),
    column('server CPU µs/publish and delivery', ({ cpu, publishes }) => cpu / publishes, true),
    column('publish p50 ms', ({ p50 }) => p50),
    column('publish p99 ms', ({ p99 }) => p99),
    { ...column<Outcome>('lost', ({ lost }) => lost), over: 'sum' },
    { ...column<Outcome>('refused', ({ refused }) => refused), over: 'sum' }
  ],
  async run(hub, { streams: count, seconds }) {
    const server = await hub.start(count + 200)
    const streams = new Streams()
    try {
      await streams.open(server.port, count, (index) => hub.subscribe(`user-${index}`))
      let next = 0
      const pump = await Pump.start([server.port], inFlight, () =>
        // A step that visits all topics in an order without a pattern.
        requestText(server.port, hub.publish(`user-${(next++ * 7_919) % count}`, data))
      )
      // Once to each topic, since a hub may look its subscribers up the first time.
      while (pump.counts.answered < count) await sleep(20)
      const warmUp = pump.reset()
      const { answered, latencies, ...measured } = await pump.measure(server.pids, seconds)
      await pump.stop()
      const published = warmUp.answered + answered + pump.counts.answered
      for (let waits = 0; waits < 100 && streams.received < published; waits++) await sleep(20)
      return {
        ...measured,
        publishes: answered,
        p50: percentile(latencies, 50),
        p99: percentile(latencies, 99),
        lost: published - streams.received
      }
    } finally {
      streams.leave()
      await server.stop()
    }
  }
}

export const oneToOne = {
  usage: usageOf(bench.name),
  run: (args: string[], command: string) => runBench(bench, args, command)
}
