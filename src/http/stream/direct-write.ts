// Writes to a socket without the stream machinery above it, which is a tenth of what a delivery costs: what the kernel takes
// at once calls nobody back and takes no tick. Node does not document the handle below a socket, so
// each part is used only where it is what we expect; where it is not, the caller keeps to `socket.write`.
import type { Socket } from 'node:net'

/** The handle below a socket, as far as it is used here. */
interface Handle {
  writeBuffer(request: WriteRequest, bytes: Buffer): number
  readonly writeQueueSize: number
}

/** Node's own object for a write. */
interface WriteRequest {
  socket?: Socket
  /** Keeps the bytes alive: the handle refers to them and does not own them. */
  buffer?: Buffer
  oncomplete?: typeof completed
}

type WithHandle = Socket & { readonly _handle?: (Handle & Record<string, unknown>) | null }

/** Called when everything that waited has been taken. */
export const onEmptied = Symbol('called when all that was written directly has been taken')
type Emptied = Socket & { [onEmptied]?: () => void }

let Request: (new () => WriteRequest) | undefined
/** Set when a write of Node's own did not show what a request is: then it is not asked again. */
let isUnknown = false

const writingMethods = ['writev', 'writeBuffer', 'writeUtf8String', 'writeLatin1String'] as const

/** Learns, from a write that Node itself is about to make on this socket, what a request for a write is. */
export function learnToWrite(socket: WithHandle): void {
  const handle = socket._handle
  if (Request || isUnknown || !isExpected(handle)) return
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
  const made = request?.constructor as (new () => WriteRequest) | undefined
  if (made?.name === 'WriteWrap') Request = made
  else isUnknown = true
}

/** Whether this socket can be written to directly: plain TCP or a Unix socket, with nothing of the stream's in flight. */
export function canWriteDirectly(socket: WithHandle): boolean {
  return Request !== undefined && isExpected(socket._handle) && socket.writableLength === 0
}

function isExpected(handle: WithHandle['_handle']): handle is Handle & Record<string, unknown> {
  if (!handle || typeof handle.writeBuffer !== 'function' || typeof handle.writeQueueSize !== 'number') return false
  return handle.constructor.name === 'TCP' || handle.constructor.name === 'Pipe'
}

/** Bytes that the kernel has yet to take. */
export function bytesQueued(socket: WithHandle): number {
  return socket._handle?.writeQueueSize ?? 0
}

/** Writes now or, what the kernel does not take, as soon as it does. A socket that cannot be written to is destroyed. */
export function writeDirectly(socket: WithHandle, bytes: Buffer): void {
  const handle = socket._handle
  if (!handle || !Request) return
  // Never one that was used before: only Node knows whether a write is still in flight, and a request that is used while it
  // is in flight ends the process.
  const request = new Request()
  request.buffer = bytes
  request.socket = socket
  request.oncomplete = completed
  if (handle.writeBuffer(request, bytes) !== 0) socket.destroy()
}

/** Called for what the kernel did not take at once. */
function completed(this: WriteRequest, status: number): void {
  const { socket } = this
  if (!socket || socket.destroyed) return
  if (status < 0) socket.destroy()
  else if (bytesQueued(socket) === 0) (socket as Emptied)[onEmptied]?.()
}
