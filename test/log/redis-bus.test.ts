// Messages between nodes on one Redis: the contract of a bus, a node that is gone, lost connections, and a Redis that lost its data.
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { busOf, testBusContract } from '../support/log/bus-contract.ts'
import { describeWith, redis } from '../support/requirements.ts'
import { newPrefix, openShared, type RedisServer, redisForTest } from '../support/servers/redis.ts'

const openTwo = async (server: RedisServer) => {
  const prefix = newPrefix()
  const logs = [await openShared(server, { prefix }), await openShared(server, { prefix })] as const
  return { prefix, logs }
}

describeWith(await redis(), 'the bus of a log in Redis', (program) => {
  describe('satisfies the contract', () =>
    testBusContract(async () => (await openTwo(await redisForTest(program))).logs))

  const keyOf = (prefix: string, node: string) => `{${prefix}:log}:inbox:${node}`

  it('keeps an inbox only for nodes that live, and removes what was read', async () => {
    const server = await redisForTest(program)
    const { prefix, logs } = await openTwo(server)
    const [one, two] = [await busOf(logs[0]), await busOf(logs[1])]
    await one.send('nobody', 'hello')
    for (let count = 0; count < 100; count++) await one.send(two.node, 'x'.repeat(10_000))
    expect(await server.ask('EXISTS', keyOf(prefix, 'nobody'))).toBe(0)
    const length = async () => Number(await server.ask('XLEN', keyOf(prefix, two.node)))
    await expect.poll(length).toBeLessThan(3)
    const left = Number(await server.ask('PTTL', keyOf(prefix, two.node)))
    expect(left).toBeGreaterThan(5_000)
    expect(left).toBeLessThanOrEqual(10_000)
    await logs[1].close()
    expect(await server.ask('EXISTS', keyOf(prefix, two.node))).toBe(0)
  })

  it('limits the messages that wait for a node that does not read', async () => {
    const server = await redisForTest(program)
    const { prefix, logs } = await openTwo(server)
    const one = await busOf(logs[0])
    await server.ask('XADD', keyOf(prefix, 'hung'), '*', 'begin', '')
    for (let batch = 0; batch < 30; batch++) {
      await Promise.all(Array.from({ length: 100 }, () => one.send('hung', 'hello')))
    }
    expect(Number(await server.ask('XLEN', keyOf(prefix, 'hung')))).toBeLessThan(1_300)
  })

  it('continues after lost connections, with each message once', async () => {
    const server = await redisForTest(program)
    const { logs } = await openTwo(server)
    const [one, two] = [await busOf(logs[0]), await busOf(logs[1])]
    const sent: string[] = []
    for (let number = 1; number <= 20; number++) {
      if (number % 5 === 0) await server.ask('CLIENT', 'KILL', 'TYPE', 'normal').catch(() => {})
      // A command that was lost with its connection may have been done.
      const isSent = await one.send(two.node, String(number)).catch(() => undefined)
      if (isSent) sent.push(String(number))
      else await sleep(50)
    }
    await one.send(two.node, 'end')
    await expect.poll(() => two.received.at(-1)).toBe('end')
    expect(two.received.filter((message) => sent.includes(message))).toEqual(sent)
    expect(new Set(two.received).size).toBe(two.received.length)
  })

  it('works again after Redis has lost everything', async () => {
    const server = await redisForTest(program)
    const { logs } = await openTwo(server)
    const [one, two] = [await busOf(logs[0]), await busOf(logs[1])]
    await one.send(two.node, 'before')
    await expect.poll(() => two.received).toEqual(['before'])
    await server.ask('FLUSHALL')
    await expect.poll(() => one.send(two.node, 'after')).toBe(true)
    await expect.poll(() => two.received).toEqual(['before', 'after'])
  })
})
