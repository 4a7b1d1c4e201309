// A TCP connection that a test holds in its hands: it sends bytes as they are, or nothing.
import { connect, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** Resolves when the connection is there; it is ended with the test. */
export async function rawSocket(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').setNoDelay(true)
  socket.on('error', () => {})
  onTestFinished(() => void socket.destroy())
  await new Promise((resolve) => socket.once('connect', resolve))
  return socket
}

/** Resolves with all that the server sent when it has closed the connection. */
export function untilClosed(socket: Socket): Promise<string> {
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
  })
  return new Promise((resolve) => socket.once('close', () => resolve(text)))
}
