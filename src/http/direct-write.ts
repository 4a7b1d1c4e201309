// Writes to a socket without the stream machinery above it, which is a tenth of what a delivery costs: what the kernel takes
// at once leaves nothing behind, no request, no callback, no tick. Node does not document the handle below a socket, so
// each part is used only where it is what we expect; where it is not, the caller keeps to `socket.write`.
import type { Socket } from 'node:net'

/** The handle below a socket, as far as it is used here. */
interface Handle {
  writeBuffer(request: WriteRequest, bytes: Buffer): number
  readonly writeQueueSize: number
}

/** Node's own object for a write in flight; only what the kernel did not take at once keeps it. */
interface WriteRequest {
  /** -1 while no write is in flight with it. */
  getAsyncId(): number
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
let spare: WriteRequest | undefined

const writingMethods = ['writev', 'writeBuffer', 'writeUtf8String', 'writeLatin1String'] as const

/** Learns, from a write that Node itself is about to make on this socket, what a request for a write is. */
export function learnToWrite(socket: WithHandle): void {
  const handle = socket._handle
  if (Request || !isExpected(handle)) return
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
  const made = request?.constructor as { new (): WriteRequest; readonly prototype: WriteRequest } | undefined
  if (made?.name === 'WriteWrap' && typeof made.prototype.getAsyncId === 'function') Request = made
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
export function waiting(socket: WithHandle): number {
  return socket._handle?.writeQueueSize ?? 0
}

/** Writes now or, what the kernel does not take, as soon as it does. A socket that cannot be written to is destroyed. */
export function writeDirectly(socket: WithHandle, bytes: Buffer): void {
  const handle = socket._handle
  if (!handle || !Request) return
  const request = spare ?? new Request()
  if (handle.writeBuffer(request, bytes) !== 0) {
    spare = undefined
    socket.destroy()
    return
  }
  // Only the request can tell. What the kernel took at its second asking leaves nothing waiting and yet is in flight until
  // the loop turns, and a request that is used while in flight ends the process.
  if (request.getAsyncId() === -1) {
    spare = request
    return
  }
  // The kernel did not take all of it at once: this request, and the bytes with it, lives until it has.
  spare = undefined
  request.buffer = bytes
  request.socket = socket
  request.oncomplete = completed
}

function completed(this: WriteRequest, status: number): void {
  const { socket } = this
  if (!socket || socket.destroyed) return
  if (status < 0) socket.destroy()
  else if (waiting(socket) === 0) (socket as Emptied)[onEmptied]?.()
}
