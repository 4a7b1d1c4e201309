// Fairness: a crowd receives many updates, and a lone user of another topic should not notice.
import { setTimeout as sleep } from 'node:timers/promises'
import { cpuMicros } from '../support/cpu.ts'
import { type ProbeResult, startProbe } from './probe.ts'
import { Lane } from './pump.ts'
import { requestText } from './requests.ts'
import { mark, Streams } from './streams.ts'
import { column, type HubBench, runBench, usageOf } from './trial.ts'

const perSecond = 100

interface Outcome extends ProbeResult {
  readonly deliveries: number
  readonly cpu: number
}

const bench: HubBench<Outcome> = {
  name: 'fairness',
  describe: ({ streams, seconds }) =>
    `${streams.toLocaleString('en')} subscribers receive up to ${perSecond} updates per second for ${seconds} s`,
  includes: ({ name }) => name.startsWith('tidings'),
  columns: [
    column('p99 ms of a lone stream', ({ stream }) => stream, true),
    column('p99 ms of /healthz', ({ healthz }) => healthz, true),
    column('p99 ms of a publish', ({ publish }) => publish, true),
    column('deliveries/s to the crowd', ({ deliveries }) => deliveries),
    column('server CPU', ({ cpu }) => cpu)
  ],
  async run(hub, { streams: count, seconds }) {
    const server = await hub.start(count + 200)
    const streams = new Streams()
    try {
      await streams.open(server.port, count, () => hub.subscribe('crowd'))
      const request = requestText(server.port, hub.publish('crowd', 'x'.repeat(63) + mark))
      const lane = await Lane.open(server.port)
      const publishUntil = async (end: number) => {
        for (let due = performance.now(); due < end; due += 1_000 / perSecond) {
          await sleep(Math.max(0, due - performance.now()))
          await lane.send(request)
        }
      }
      await publishUntil(performance.now() + 1_000)
      const probe = await startProbe(server.port)
      const [cpuBefore, receivedBefore, startedAt] = [cpuMicros(server.pids), streams.received, performance.now()]
      await publishUntil(startedAt + seconds * 1_000)
      const micros = (performance.now() - startedAt) * 1_000
      const found = await probe.end()
      lane.close()
      return {
        ...found,
        deliveries: ((streams.received - receivedBefore) / micros) * 1e6,
        cpu: (cpuMicros(server.pids) - cpuBefore) / micros
      }
    } finally {
      streams.leave()
      await server.stop()
    }
  }
}

export const fairness = {
  usage: usageOf(bench.name),
  run: (args: string[], command: string) => runBench(bench, args, command)
}
