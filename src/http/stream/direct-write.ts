// Writes to a socket's handle, below Node's stream machinery. That saves a tenth of the cost of a delivery: a write
// that the kernel takes at once needs no callback and no tick. Node does not document the handle, so each part is used
// only after a check. If a check fails, the caller uses `socket.write` (docs/decisions/0004-inside-node.md).
import type { Socket } from 'node:net'

/** The part of a socket's handle that is used here. */
interface Handle {
  /**
   * Up to Node 24, the caller makes the request, and the answer is an error number or 0. From Node 26 on, the request is `null`, and the answer
   * is an error number, 0 if the kernel took everything, or the request of a write in progress.
   */
  writeBuffer(request: WriteRequest | null, bytes: Buffer): number | WriteRequest
  readonly writeQueueSize: number
}

/** Node's internal `WriteWrap`. */
interface WriteRequest {
  socket?: Socket
  /** Keeps the bytes alive: the handle refers to them and does not own them. */
  buffer?: Buffer
  oncomplete?: typeof completed
  /** From Node 26 on: set if the write ended before it had an `oncomplete`. */
  writeStatus?: number | null
}

type WithHandle = Socket & { readonly _handle?: (Handle & Record<string, unknown>) | null }

/** The key of a socket's callback for "all direct writes are complete". */
export const onEmptied = Symbol('called when all direct writes of a socket are complete')
type Emptied = Socket & { [onEmptied]?: () => void }

/** How Node itself writes, once that is known: `none` turns direct writes off for good. */
let way: 'request given' | 'request returned' | 'none' | undefined
let Request: (new () => WriteRequest) | undefined

const writingMethods = ['writev', 'writeBuffer', 'writeUtf8String', 'writeLatin1String'] as const

/** Learns from the next write that Node itself makes on this socket: the class `WriteWrap`, or that no request is needed. */
export function learnToWrite(socket: WithHandle): void {
  const handle = socket._handle
  if (way !== undefined || !isExpected(handle)) return
  for (const name of writingMethods) {
    const method = handle[name] as (...args: unknown[]) => unknown
    const once = (...args: unknown[]) => {
      learn(args[0])
      for (const wrapped of writingMethods) Reflect.deleteProperty(handle, wrapped)
      return method.apply(handle, args)
    }
    Reflect.set(handle, name, once)
  }
}

function learn(request: unknown): void {
  if (way !== undefined) return
  const made = request?.constructor as (new () => WriteRequest) | undefined
  if (made?.name === 'WriteWrap') {
    Request = made
    way = 'request given'
  } else way = request === null ? 'request returned' : 'none'
}

/** Whether this socket supports direct writes: plain TCP or a Unix socket, with no write of the stream in progress. */
export function canWriteDirectly(socket: WithHandle): boolean {
  return (
    (way === 'request given' || way === 'request returned') && isExpected(socket._handle) && socket.writableLength === 0
  )
}

function isExpected(handle: WithHandle['_handle']): handle is Handle & Record<string, unknown> {
  if (!handle || typeof handle.writeBuffer !== 'function' || typeof handle.writeQueueSize !== 'number') return false
  return handle.constructor.name === 'TCP' || handle.constructor.name === 'Pipe'
}

/** Bytes that the kernel has not taken yet. */
export function bytesQueued(socket: WithHandle): number {
  return socket._handle?.writeQueueSize ?? 0
}

/** Writes at once; libuv queues what the kernel does not take. Destroys a socket that cannot be written to. */
export function writeDirectly(socket: WithHandle, bytes: Buffer): void {
  const handle = socket._handle
  if (!handle) return
  if (Request) writeWithRequest(socket, handle, new Request(), bytes)
  else if (way === 'request returned') writeWithout(socket, handle, bytes)
}

function writeWithRequest(socket: WithHandle, handle: Handle, request: WriteRequest, bytes: Buffer): void {
  // A new request for each write. Only Node knows whether a write is still in progress, and reusing its request then
  // aborts the process.
  request.buffer = bytes
  request.socket = socket
  request.oncomplete = completed
  if (handle.writeBuffer(request, bytes) !== 0) socket.destroy()
}

function writeWithout(socket: WithHandle, handle: Handle, bytes: Buffer): void {
  const answer = handle.writeBuffer(null, bytes)
  if (answer === 0) return
  if (typeof answer === 'number') {
    socket.destroy()
    return
  }
  answer.buffer = bytes
  answer.socket = socket
  answer.oncomplete = completed
  const { writeStatus = null } = answer
  if (writeStatus === null) return
  answer.writeStatus = null
  completed.call(answer, writeStatus)
}

/** Called when a queued write is complete. */
function completed(this: WriteRequest, status: number): void {
  const { socket } = this
  if (!socket || socket.destroyed) return
  if (status < 0) socket.destroy()
  else if (bytesQueued(socket) === 0) (socket as Emptied)[onEmptied]?.()
}
