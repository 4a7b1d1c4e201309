// Unix sockets in a folder whose path may be too long for one.
import { once } from 'node:events'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LogError } from '../../error.ts'

/** The maximum length of a socket's address: 107 bytes on Linux, 103 elsewhere. */
const maxAddressBytes = 103
/** How long to wait for the answer of a busy process. The connection alone shows that it is alive. */
const answerTimeoutMs = 1_000

/** Listens on a new socket and sends `answer` to each connection. Does not keep the process alive. */
export async function listenOn(folder: string, name: string, answer: string): Promise<Server> {
  const server = createServer((socket) => void socket.on('error', () => {}).end(answer)).unref()
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
  return withAddress(folder, name, async (address) => {
    const socket = connect(address)
    let answer = ''
    socket.setEncoding('utf8').on('data', (text: string) => {
      answer += text
    })
    socket.setTimeout(answerTimeoutMs, () => socket.destroy())
    try {
      await once(socket, 'close')
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      // Any other error means a living process: no permission to connect, or too many connections at once.
      if (code === 'ECONNREFUSED' || code === 'ENOENT') return undefined
    } finally {
      socket.destroy()
    }
    return answer
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
