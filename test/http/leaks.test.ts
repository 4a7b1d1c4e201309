// Five thousand clients connect and are cut; nothing of them remains.
import { connect } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { type Served, serve } from '../support/http/http.ts'

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void

/** Opens a stream, reads its first bytes, and destroys the connection. */
function comeAndGo({ at }: Served, number: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(at)
    socket.write(`GET /subscribe?topic=t${number % 100} HTTP/1.1\r\nHost: x\r\n\r\n`)
    socket.once('data', () => (number % 2 ? socket.resetAndDestroy() : socket.destroy()))
    socket.once('close', () => resolve())
    socket.once('error', reject)
  })
}

async function crowd(served: Served, count: number): Promise<void> {
  for (let number = 0; number < count; number += 100) {
    await Promise.all(Array.from({ length: 100 }, (_, index) => comeAndGo(served, number + index)))
    await served.hub.publish({ topics: ['t1'], data: 'meanwhile' })
  }
  await expect.poll(() => served.hub.status.subscribers).toBe(0)
}

async function heap(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    await new Promise((resolve) => setImmediate(resolve))
    gc()
  }
  return process.memoryUsage().heapUsed
}

const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
const sockets = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length

it('leaves no subscriber, audience, timer, socket or memory', async () => {
  const served = await serve()
  await crowd(served, 1_000)
  const [timersBefore, heapBefore] = [timers(), await heap()]
  await crowd(served, 5_000)
  expect(served.hub.status).toMatchObject({ subscribers: 0, audiences: 0 })
  await expect.poll(sockets).toBe(0)
  // Vitest has timers too, which end soon. A poll would add its own.
  const since = performance.now()
  while (timers() > timersBefore && performance.now() - since < 30_000) await new Promise(setImmediate)
  expect(timers()).toBeLessThanOrEqual(timersBefore)
  const perClient = ((await heap()) - heapBefore) / 5_000
  expect(perClient, 'heap bytes retained per disconnected client').toBeLessThan(200)
})
