// A free port for a program that cannot use port 0. It is below the ephemeral range of the kernel, so that no connection
// takes it between the check and the use.
import { createServer } from 'node:net'

const first = 10_000
const count = 20_000

export async function freePort(): Promise<number> {
  for (;;) {
    const port = first + Math.floor(Math.random() * count)
    if (await isFree(port)) return port
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
