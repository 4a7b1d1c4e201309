// Thousands of clients reconnect at once during publishing: all are served, and the latency of the clients that stayed
// connected is printed. The latency is not asserted, since the machine is shared.
import { expect, it, onTestFinished } from 'vitest'
import { post } from '../support/http/http.ts'
import { allOf, ResumingClient } from '../support/http/resuming-client.ts'
import { listen } from '../support/http/sse-client.ts'
import { isSoak } from '../support/random.ts'
import { cuttableProxy } from '../support/servers/cuttable-proxy.ts'
import { startServer } from '../support/servers/server.ts'

const crowd = isSoak ? 5_000 : 2_000

it(`survives a storm of ${crowd} reconnects, and no client misses an update`, async () => {
  const server = await startServer({ args: ['--connect-rate', '2000', '--log-level', 'warn'] })
  onTestFinished(() => server.kill('SIGKILL'))
  const proxy = await cuttableProxy(server.port)
  onTestFinished(() => proxy.close())
  const clients = Array.from({ length: crowd }, () => new ResumingClient(`${proxy.url}/subscribe?topic=all`))
  onTestFinished(() => {
    for (const client of clients) client.close()
  })
  await allOf(clients, ({ isOpen }) => isOpen)
  const stayed = await listen(`${server.url}/subscribe?topic=clock`)
  const latencies = { before: [] as number[], during: [] as number[], after: [] as number[] }
  let phase: keyof typeof latencies = 'before'
  let isDone = false
  const ticking = (async () => {
    for (let number = 0; !isDone; number++) {
      const since = performance.now()
      const { status } = await post(`${server.url}/publish?topic=clock`, String(number))
      expect(status).toBe(200)
      await stayed.until(({ events }) => events.length > number, 'the clock')
      latencies[phase].push(performance.now() - since)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  })()
  await expect.poll(() => latencies.before.length).toBeGreaterThan(100)
  phase = 'during'
  proxy.cut()
  await post(`${server.url}/publish?topic=all`, 'while away')
  proxy.mend()
  await allOf(clients, ({ isOpen, data }) => isOpen && data.length > 0)
  phase = 'after'
  await expect.poll(() => latencies.after.length).toBeGreaterThan(100)
  isDone = true
  await ticking
  expect(clients.every(({ data }) => data.join() === 'while away')).toBe(true)
  for (const [name, values] of Object.entries(latencies)) {
    console.log(`storm, ${name}: p50 ${at(values, 0.5)} ms, p99 ${at(values, 0.99)} ms, of ${values.length} updates`)
  }
})

function at(values: number[], share: number): string {
  const sorted = [...values].sort((a, b) => a - b)
  return (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(1)
}
