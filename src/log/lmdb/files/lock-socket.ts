// Unix sockets in a folder whose path may be too long for one.
import { once } from 'node:events'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LogError } from '../../error.ts'

/** The maximum length of a socket's address: 107 bytes on Linux, 103 elsewhere. */
const maxAddressBytes = 103
/** How long to wait for the answer of a busy process. The connection alone shows that it is alive. */
const answerTimeoutMs = 1_000

/** Listens on a new socket, and calls `serve` with each connection. Does not keep the process alive. */
export async function listenOn(folder: string, name: string, serve: (socket: Socket) => void): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (socket) => serve(socket.unref().on('error', () => {}))).unref()
  try {
    await withAddress(folder, name, async (address) => {
      server.listen(address)
      await once(server, 'listening')
    })
    return server
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE') throw error
    throw new LogError(
      `${folder} cannot hold a log: the socket that locks it cannot be created there (${code}); choose a folder on a local file system`
    )
  }
}

/** The answer of the process that listens on a socket, empty if it sends none in time; undefined when none listens. */
export async function askSocket(folder: string, name: string): Promise<string | undefined> {
  try {
    const socket = await connectTo(folder, name)
    let answer = ''
    socket?.setEncoding('utf8').on('data', (text: string) => {
      answer += text
    })
    socket?.setTimeout(answerTimeoutMs, () => socket.destroy()).end()
    if (socket) await once(socket, 'close')
    return socket && answer
  } catch {
    // A living process: no permission to connect, or too many connections at once.
    return ''
  }
}

/**
 * A connection to the process that listens on a socket; undefined when none listens.
 * @throws Error with a `code` when one may listen that cannot be reached
 */
export async function connectTo(folder: string, name: string): Promise<Socket | undefined> {
  return withAddress(folder, name, async (address) => {
    const socket = connect(address)
    try {
      await once(socket, 'connect')
      return socket
    } catch (error) {
      socket.destroy()
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ECONNREFUSED' || code === 'ENOENT') return undefined
      throw error
    }
  })
}

/** Calls `use` with an address that is short enough: a long path is reached through a symbolic link in the temporary folder. */
async function withAddress<Result>(
  folder: string,
  name: string,
  use: (address: string) => Promise<Result>
): Promise<Result> {
  const direct = join(folder, name)
  if (process.platform === 'win32' || Buffer.byteLength(direct) <= maxAddressBytes) return use(direct)
  const detour = mkdtempSync(join(tmpdir(), 'tidings-'))
  try {
    symlinkSync(folder, join(detour, 'f'))
    return await use(join(detour, 'f', name))
  } finally {
    rmSync(detour, { recursive: true, force: true })
  }
}
