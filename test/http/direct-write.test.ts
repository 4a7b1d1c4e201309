import type { Socket } from 'node:net'
import { expect, it, vi } from 'vitest'

/** A copy of the module that has learned nothing yet, and teaches nothing to the hubs of other tests in this process. */
async function freshModule(name: string) {
  const path = `../../dist/http/stream/direct-write.js?${name}`
  return (await import(path)) as typeof import('../../dist/http/stream/direct-write.js')
}

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

it('uses one write request per write, which keeps its bytes alive', async () => {
  const { canWriteDirectly, learnToWrite, writeDirectly } = await freshModule('given')
  const handle = new TCP()
  const socket = { _handle: handle, writableLength: 0 } as unknown as Socket
  learnToWrite(socket)
  handle.writev(new WriteWrap())
  expect(canWriteDirectly(socket)).toBe(true)
  const written = ['1', '2', '3'].map((text) => Buffer.from(text))
  for (const bytes of written) writeDirectly(socket, bytes)
  expect(handle.requests.map(({ buffer }) => buffer)).toEqual(written)
})

/** As from Node 26 on: no request is passed, and a write that the kernel does not take at once returns one. */
class ReturningTCP extends TCP {
  answer: number | WriteWrap = 0
  override writeBuffer(request: WriteWrap): number {
    expect(request).toBeNull()
    return this.answer as number
  }
}
Object.defineProperty(ReturningTCP, 'name', { value: 'TCP' })

it('writes without a request where Node does', async () => {
  const fresh = await freshModule('returned')
  const handle = new ReturningTCP()
  const destroyed = vi.fn()
  const socket = { _handle: handle, writableLength: 0, destroy: destroyed, destroyed: false } as unknown as Socket
  fresh.learnToWrite(socket)
  handle.writev(null as unknown as WriteWrap)
  expect(fresh.canWriteDirectly(socket)).toBe(true)
  fresh.writeDirectly(socket, Buffer.from('taken at once'))
  expect(destroyed).not.toHaveBeenCalled()

  const emptied = vi.fn()
  Object.assign(socket, { [fresh.onEmptied]: emptied })
  const request = new WriteWrap() as WriteWrap & { oncomplete?: (status: number) => void }
  handle.answer = request
  const bytes = Buffer.from('taken later')
  fresh.writeDirectly(socket, bytes)
  expect(request.buffer).toBe(bytes)
  expect(emptied).not.toHaveBeenCalled()
  request.oncomplete?.(0)
  expect(emptied).toHaveBeenCalledOnce()

  handle.answer = Object.assign(new WriteWrap(), { writeStatus: -32 })
  fresh.writeDirectly(socket, Buffer.from('failed before it could be awaited'))
  expect(destroyed).toHaveBeenCalledOnce()
  handle.answer = -32
  fresh.writeDirectly(socket, Buffer.from('failed at once'))
  expect(destroyed).toHaveBeenCalledTimes(2)
})
