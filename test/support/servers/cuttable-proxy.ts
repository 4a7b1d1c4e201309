// A TCP proxy that can cut all connections, to simulate a network failure.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface CuttableProxy {
  readonly url: string
  /** Destroys every connection, also new ones, until `mend`. */
  cut(): void
  mend(): void
  /** Passes nothing on any more over the connections that are open, which stay open. New ones work. */
  freeze(): void
  close(): Promise<void>
}

export async function cuttableProxy(port: number): Promise<CuttableProxy> {
  const sockets = new Set<Socket>()
  const pairs = new Set<Socket>()
  let isCut = false
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  }
  const server = createServer((near) => {
    keep(near)
    if (isCut) {
      near.destroy()
      return
    }
    const far = connect(port, '127.0.0.1')
    keep(far)
    near.pipe(far).pipe(near)
    pairs.add(far)
    near.on('close', () => far.destroy())
    far.on('close', () => near.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = () => {
    isCut = true
    for (const socket of sockets) socket.destroy()
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    freeze: () => {
      for (const far of pairs) far.unpipe().resume()
      pairs.clear()
    },
    mend: () => {
      isCut = false
    },
    close: async () => {
      cut()
      server.close()
      await once(server, 'close')
    }
  }
}
