// Decides by its first bytes whether a connection speaks HTTP/2. It answers nothing.
import type { Socket } from 'node:net'

/** How a client of HTTP/2 begins [RFC 9113, 3.4]. */
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

/**
 * Reads as many bytes as it takes to decide, puts them back, and leaves the socket paused. A connection that ends before that is
 * closed.
 */
export function detectHttp2(socket: Socket, decided: (isHttp2: boolean) => void): void {
  let read = Buffer.alloc(0)
  const onData = (chunk: Buffer) => {
    read = Buffer.concat([read, chunk])
    const length = Math.min(read.length, preface.length)
    const isHttp2 = read.subarray(0, length).equals(preface.subarray(0, length))
    // TCP may cut anywhere: `P` begins both the preface and `POST`.
    if (isHttp2 && length < preface.length) return
    socket.off('data', onData).off('end', onEnd)
    socket.pause()
    socket.unshift(read)
    decided(isHttp2)
  }
  const onEnd = () => socket.destroy()
  socket.on('data', onData).on('end', onEnd)
}
