// The contract of a bus as a test suite, for logs that several nodes share: the test file of a log only states how to open two nodes.
import { expect, it } from 'vitest'
import type { Bus, Log } from '../../../dist/index.js'

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)

/** The bus of a log that is being followed, and the messages that it has received. */
export async function busOf(log: Log): Promise<Bus & { readonly received: string[] }> {
  const { bus } = log
  if (!bus) throw new Error('the log has no bus')
  const received: string[] = []
  bus.onMessage((message) => received.push(message))
  await log.follow(() => {})
  return { node: bus.node, received, onMessage: (take) => bus.onMessage(take), send: (...args) => bus.send(...args) }
}

export function testBusContract(openNodes: () => Promise<readonly [Log, Log]>): void {
  const open = async () => {
    const [one, two] = await openNodes()
    return [await busOf(one), await busOf(two), one, two] as const
  }

  it('gives each node a public id of its own', async () => {
    const [one, two] = await open()
    expect(one.node).not.toBe(two.node)
    for (const { node } of [one, two]) expect(node).toMatch(/^[\w-]{8,32}$/)
  })

  it('delivers messages to the node that they are for, each once and in order, in both directions', async () => {
    const [one, two] = await open()
    for (const number of numbers(1, 50)) {
      expect(await one.send(two.node, `to two ${number}`)).toBe(true)
      expect(await two.send(one.node, `to one ${number}`)).toBe(true)
    }
    await expect.poll(() => [one.received.length, two.received.length]).toEqual([50, 50])
    expect(one.received).toEqual(numbers(1, 50).map((number) => `to one ${number}`))
    expect(two.received).toEqual(numbers(1, 50).map((number) => `to two ${number}`))
  })

  it('delivers to itself', async () => {
    const [one] = await open()
    expect(await one.send(one.node, 'hello')).toBe(true)
    await expect.poll(() => one.received).toEqual(['hello'])
  })

  it('transmits any text', async () => {
    const [one, two] = await open()
    const texts = ['', 'ü\u{1f4e3}', '\0\r\n', '{"a":1}', 'x'.repeat(2 ** 20)]
    for (const text of texts) await one.send(two.node, text)
    await expect.poll(() => two.received).toEqual(texts)
  })

  it('delivers a message, and not as an entry', async () => {
    const [one, two, log] = await open()
    await one.send(two.node, 'now')
    await expect.poll(() => two.received).toEqual(['now'])
    expect(log.head).toBe(0)
  })

  it('delivers messages and entries side by side', async () => {
    const [one, two, log, other] = await open()
    const offsets: number[] = []
    await other.follow((entries) => void offsets.push(...entries.map(({ offset }) => offset)))
    const appended = numbers(1, 100).map((number) => log.append([{ topics: ['t'], data: String(number) }]))
    for (const number of numbers(1, 20)) await one.send(two.node, String(number))
    await Promise.all(appended)
    await expect.poll(() => [offsets.length, two.received.length]).toEqual([100, 20])
    expect(offsets).toEqual(numbers(1, 100))
  })

  it('finds out that there is no such node, and that a node has ended', async () => {
    const [one, two, , log] = await open()
    expect(await one.send('nobody', 'hello')).toBe(false)
    expect(await one.send(two.node, 'hello')).toBe(true)
    await log.close()
    expect(await one.send(two.node, 'hello')).toBe(false)
  })

  it('refuses a message of more than 1 MiB', async () => {
    const [one, two] = await open()
    await expect(one.send(two.node, 'ü'.repeat(2 ** 19 + 1))).rejects.toMatchObject({ code: 'body_too_large' })
  })

  it('rejects after close, and delivers nothing more', async () => {
    const [one, two, log, other] = await open()
    await other.close()
    await log.close()
    await expect(one.send(two.node, 'hello')).rejects.toMatchObject({ code: 'closed' })
    expect(two.received).toEqual([])
  })
}
