// Finds a free port, and waits until a server accepts connections on a port.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Started } from './process.ts'

/** For a program that cannot choose a free port itself. If another process takes the port first, the program fails to start. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

export async function reachable(port: number, started: Started): Promise<void> {
  for (let attempt = 0; attempt < 250; attempt++) {
    if (started.child.exitCode !== null) break
    if (await answers(port)) return
    await sleep(20)
  }
  throw new Error(`nobody answers on port ${port}: ${started.complaint()}`)
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
