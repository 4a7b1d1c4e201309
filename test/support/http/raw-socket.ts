// A raw TCP connection: the test sends any bytes, or none.
import { connect, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** Resolves when the connection is open; it is closed when the test ends. */
export async function rawSocket(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').setNoDelay(true)
  socket.on('error', () => {})
  onTestFinished(() => void socket.destroy())
  await new Promise((resolve) => socket.once('connect', resolve))
  return socket
}

/** Resolves with everything the server sent, after it has closed the connection. */
export function untilClosed(socket: Socket): Promise<string> {
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
  })
  return new Promise((resolve) => socket.once('close', () => resolve(text)))
}
