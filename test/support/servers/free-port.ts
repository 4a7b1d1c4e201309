// A free port for a program that cannot use port 0. It is below the ephemeral range of the kernel, so that no connection
// takes it between the check and the use.
import { createServer } from 'node:net'

const first = 10_000
const count = 20_000

/** @param inRow how many ports are free, from the returned one on */
export async function freePort(inRow = 1): Promise<number> {
  for (;;) {
    const port = first + Math.floor(Math.random() * count)
    const free = await Promise.all(Array.from({ length: inRow }, (_, at) => isFree(port + at)))
    if (free.every(Boolean)) return port
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
