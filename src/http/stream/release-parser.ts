// Lets go of what node:http holds for a socket whose response has been detached: its listeners and its parser, which is half
// of what an idle stream would cost. Node does not document these, so each is touched only where it is what we expect;
// where it is not, the stream works all the same and costs more.
import type { Socket } from 'node:net'

/** The listeners that node:http sets on a connection, by the names that it gives them. */
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
  // Reading has to go back to the socket before its listeners may go.
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
  // The server's list of connections would otherwise go on timing its request.
  parser.remove?.()
  parser.socket = parser.incoming = parser.outgoing = parser.onIncoming = null
  for (const index of Object.keys(parser)) {
    if (/^\d+$/.test(index)) parser[Number(index)] = null
  }
  // It may be on the stack now, and closing frees it.
  setImmediate(() => parser.close?.())
}
