// Sockets in a folder, whatever the length of its path. It knows no lock.
import { once } from 'node:events'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LogError } from './log-error.ts'

/** As many bytes as the address of a socket may have: 107 on Linux, 103 elsewhere. */
const longestAddress = 103
/** How long to wait for what a listening process says of itself: it may be busy. That it listens is known without. */
const answerTimeoutMs = 1_000

/** Listens to a new socket, and says `answer` to each process that asks. Keeps no process from ending. */
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
      `${folder} cannot be used to keep a log in: no socket can be made there (${code}), which keeps a second process out; choose a folder on a local file system`
    )
  }
}

/** What the process says that listens to a socket, empty where it does not say in time; undefined when none listens. */
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
      // Any other error says that there is somebody: one that may not be asked, or whom too many ask.
      if (code === 'ECONNREFUSED' || code === 'ENOENT') return undefined
    } finally {
      socket.destroy()
    }
    return answer
  })
}

/** Does something with an address that is short enough: a long path is reached by a link in the folder for temporary files. */
async function withAddress<Result>(
  folder: string,
  name: string,
  use: (address: string) => Promise<Result>
): Promise<Result> {
  const direct = join(folder, name)
  if (process.platform === 'win32' || Buffer.byteLength(direct) <= longestAddress) return use(direct)
  const detour = mkdtempSync(join(tmpdir(), 'tidings-'))
  try {
    symlinkSync(folder, join(detour, 'f'))
    return await use(join(detour, 'f', name))
  } finally {
    rmSync(detour, { recursive: true, force: true })
  }
}
