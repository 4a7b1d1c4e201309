import type { Socket } from 'node:net'
import { expect, it } from 'vitest'
import { canWriteDirectly, learnToWrite, writeDirectly } from '../../dist/http/stream/direct-write.js'

class WriteWrap {
  inFlight = false
  buffer?: Buffer
}

/** A handle whose send buffer is full at the first write and has space at the second. */
class TCP {
  readonly writeQueueSize = 0
  readonly requests: WriteWrap[] = []
  writeBuffer(request: WriteWrap): number {
    if (request.inFlight) throw new Error('Node would end the process here')
    request.inFlight = true
    this.requests.push(request)
    return 0
  }
  writev(_request: WriteWrap): void {}
  writeUtf8String(_request: WriteWrap): void {}
  writeLatin1String(_request: WriteWrap): void {}
}

it('uses one write request per write, which keeps its bytes alive', () => {
  const handle = new TCP()
  const socket = { _handle: handle, writableLength: 0 } as unknown as Socket
  learnToWrite(socket)
  handle.writev(new WriteWrap())
  expect(canWriteDirectly(socket)).toBe(true)
  const written = ['1', '2', '3'].map((text) => Buffer.from(text))
  for (const bytes of written) writeDirectly(socket, bytes)
  expect(handle.requests.map(({ buffer }) => buffer)).toEqual(written)
})
