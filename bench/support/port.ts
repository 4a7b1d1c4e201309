// Finds a free port, and waits until somebody answers on one; it speaks no protocol.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Started } from './process.ts'

/** For a program that cannot be asked to take any free port. Somebody else may take it in between; then it will say so. */
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
