// Releases the listeners and the parser that node:http keeps for a socket whose response is detached. They are half of
// the memory of an idle stream. Node does not document them, so each is touched only after a check. If a check fails,
// the stream works and costs more (docs/decisions/0004-inside-node.md).
import type { Socket } from 'node:net'

/** The names of the listeners that node:http adds to a connection. */
const serverListeners = new Set([
  'bound socketOnData',
  'bound socketOnEnd',
  'bound socketOnClose',
  'bound socketOnDrain',
  'socketOnError',
  'socketOnTimeout',
  'onSocketResume',
  'onSocketPause'
])
const patchedMethods = ['on', 'addListener', 'prependListener', 'setEncoding'] as const

interface Parser {
  unconsume?(): void
  remove?(): void
  close?(): void
  socket?: unknown
  incoming?: unknown
  outgoing?: unknown
  onIncoming?: unknown
  [index: number]: unknown
}

export function releaseParser(socket: Socket & { parser?: Parser | null }): void {
  const { parser } = socket
  // The socket must read for itself again before the listeners of node:http are removed.
  if (!parser || typeof parser.unconsume !== 'function' || typeof parser.close !== 'function') return
  parser.unconsume()
  for (const name of patchedMethods) {
    if (Object.hasOwn(socket, name)) Reflect.deleteProperty(socket, name)
  }
  for (const event of socket.eventNames()) {
    for (const listener of socket.rawListeners(event)) {
      if (serverListeners.has(listener.name)) socket.removeListener(event, listener as () => void)
    }
  }
  socket.parser = null
  socket.setTimeout(0)
  dispose(parser)
}

function dispose(parser: Parser): void {
  // Otherwise the server's list of connections continues to time this request.
  parser.remove?.()
  parser.socket = parser.incoming = parser.outgoing = parser.onIncoming = null
  for (const index of Object.keys(parser)) {
    if (/^\d+$/.test(index)) parser[Number(index)] = null
  }
  // The parser may be on the stack now, and `close` frees it.
  setImmediate(() => parser.close?.())
}
