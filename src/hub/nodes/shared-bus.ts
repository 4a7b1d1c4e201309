// One bus for several parts of the hub. Each gets all messages, and ignores those of types that it does not know.
import type { Bus } from '../../log/bus.ts'

export function shareBus(bus: Bus): Bus {
  const takers: ((message: string) => void)[] = []
  bus.onMessage((message) => {
    for (const take of takers) take(message)
  })
  return {
    get node() {
      return bus.node
    },
    onMessage: (take) => {
      takers.push(take)
    },
    send: (node, message) => bus.send(node, message)
  }
}
