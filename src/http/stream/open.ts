// Sends the response head and the first bytes of a stream, and chooses its implementation.
import type { OutgoingHttpHeaders } from 'node:http'
import { Socket } from 'node:net'
import type { HttpResponse } from '../exchange.ts'
import { writeHead } from '../response.ts'
import { learnToWrite } from './direct-write.ts'
import { releaseParser } from './release-parser.ts'
import { flush, ResponseStream } from './response-stream.ts'
import { SocketStream } from './socket-stream.ts'
import type { Stream, StreamOptions, StreamOrigin } from './stream.ts'

/** Sends head and first bytes. The rest of the response is a stream. */
export function openStream(
  { request, response, ...origin }: StreamOrigin,
  headers: OutgoingHttpHeaders,
  firstBytes: string,
  options: StreamOptions
): Stream {
  // On HTTP/2, many streams share the socket, and each ends on its own.
  if (request.httpVersionMajor >= 2) {
    writeHead(response, 200, headers)
    response.write(Buffer.from(firstBytes))
    return new ResponseStream(request, response, origin, options)
  }
  const { socket } = response
  // A pipelined request has no socket until the requests before it are answered. Other runtimes may not have one.
  // Middleware that wraps `write`, such as compression, may not have sent the head yet.
  if (!(socket instanceof Socket) || !canDetach(response) || Object.hasOwn(response, 'write')) {
    writeHead(response, 200, { ...headers, Connection: 'close' })
    response.write(Buffer.from(firstBytes))
    flush(response)
    return new ResponseStream(request, response, origin, options)
  }
  // Head and first bytes leave in one packet.
  socket.cork()
  // [RFC 9112, 6.3] Without Content-Length and Transfer-Encoding, the body lasts until the connection is closed.
  response.removeHeader('Transfer-Encoding')
  writeHead(response, 200, { ...headers, Connection: 'close' })
  // Node joins head and first bytes in one string if both are Latin-1, as ASCII is. Otherwise they are two buffers of one write.
  if (Buffer.byteLength(firstBytes) === firstBytes.length) response.write(firstBytes, 'latin1')
  else response.write(Buffer.from(firstBytes))
  response.detachSocket(socket)
  releaseParser(socket)
  learnToWrite(socket)
  socket.uncork()
  return new SocketStream(socket, origin, options)
}

interface Detachable {
  detachSocket(socket: Socket): void
  write(text: string, encoding: 'latin1'): unknown
}

function canDetach(response: HttpResponse): response is HttpResponse & Detachable {
  return 'detachSocket' in response && typeof response.detachSocket === 'function'
}
