// A reconnect storm: all clients come back at once, each with history to replay, while a lone user goes on.
import { setTimeout as sleep } from 'node:timers/promises'
import { cpuMicros } from '../support/cpu.ts'
import { startProbe } from './probe.ts'
import { Lane } from './pump.ts'
import { requestText } from './requests.ts'
import { mark, Streams } from './streams.ts'
import { column, type HubBench, runBench, usageOf } from './trial.ts'

const missed = 100
const patienceMs = 120_000

interface Outcome {
  readonly seconds: number
  readonly cpu: number
  readonly lone: number
  readonly missing: number
}

const bench: HubBench<Outcome> = {
  name: 'storm',
  describe: ({ streams }) => `${streams.toLocaleString('en')} clients reconnect, and each has missed ${missed} updates`,
  includes: ({ name }) => name.startsWith('tidings'),
  columns: [
    column('seconds until all are live', ({ seconds }) => seconds, true),
    column('server CPU µs/client', ({ cpu }) => cpu, true),
    column('p99 ms of a lone stream', ({ lone }) => lone, true),
    { ...column<Outcome>('missing', ({ missing }) => missing), over: 'sum' }
  ],
  async run(hub, { streams: count }) {
    const server = await hub.start(count + 200)
    const streams = new Streams()
    try {
      const request = requestText(server.port, hub.publish('storm', 'x'.repeat(63) + mark))
      const lane = await Lane.open(server.port)
      for (let number = 0; number < missed; number++) await lane.send(request)
      lane.close()
      const probe = await startProbe(server.port)
      const [cpuBefore, startedAt] = [cpuMicros(server.pids), performance.now()]
      await streams.open(server.port, count, () => hub.subscribe('storm', 'earliest'))
      while (streams.received < count * missed && performance.now() - startedAt < patienceMs) await sleep(5)
      const seconds = (performance.now() - startedAt) / 1_000
      const cpu = (cpuMicros(server.pids) - cpuBefore) / count
      const { stream: lone } = await probe.end()
      return { seconds, cpu, lone, missing: count * missed - streams.received }
    } finally {
      streams.leave()
      await server.stop()
    }
  }
}

export const storm = {
  usage: usageOf(bench.name),
  run: (args: string[], command: string) => runBench(bench, args, command)
}
