// New streams: what the first thousand cost after a start, and ten thousand when the server is warm.
import { setTimeout as sleep } from 'node:timers/promises'
import { cpuMicros } from '../support/cpu.ts'
import { Streams } from './streams.ts'
import { column, type HubBench, runBench, usageOf } from './trial.ts'

const first = 1_000

interface Outcome {
  readonly coldCpu: number
  readonly warmCpu: number
  readonly perSecond: number
}

const bench: HubBench<Outcome> = {
  name: 'connect',
  describe: ({ streams }) =>
    `the first ${first.toLocaleString('en')} streams, then ${streams.toLocaleString('en')} new ones with one topic each`,
  columns: [
    column('CPU µs/stream, first 1,000', ({ coldCpu }) => coldCpu, true),
    column('CPU µs/stream, warm', ({ warmCpu }) => warmCpu, true),
    column('streams/s, warm', ({ perSecond }) => perSecond, true)
  ],
  async run(hub, { streams: count }) {
    const server = await hub.start(count + 200)
    const streams = new Streams()
    /** Opens streams, and returns the seconds and the CPU time that passed. */
    const open = async (number: number) => {
      const [cpuBefore, startedAt] = [cpuMicros(server.pids), performance.now()]
      await streams.open(server.port, number, (index) => hub.subscribe(`user-${index}`))
      const seconds = (performance.now() - startedAt) / 1_000
      // What the server does right after the response head belongs to the stream.
      await sleep(200)
      return { cpu: (cpuMicros(server.pids) - cpuBefore) / number, seconds }
    }
    try {
      const cold = await open(first)
      streams.leave()
      await sleep(1_000)
      // Twice, and the second time counts: the code is compiled, and the memory is there.
      await open(count)
      streams.leave()
      await sleep(2_000)
      const warm = await open(count)
      return { coldCpu: cold.cpu, warmCpu: warm.cpu, perSecond: count / warm.seconds }
    } finally {
      streams.leave()
      await server.stop()
    }
  }
}

export const connect = {
  usage: usageOf(bench.name),
  run: (args: string[], command: string) => runBench(bench, args, command)
}
