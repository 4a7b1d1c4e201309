// Opens a folder for reading while its owner writes to it. The owner makes no commit meanwhile (see CommitGate), which the reader asks for on the
// socket of the lock. It keeps the connection until it has closed the folder, so that the owner notices when it is killed.
import type { Socket } from 'node:net'
import { LogError } from '../../error.ts'
import type { CommitGate } from './commit-gate.ts'
import { FolderLock } from './lock.ts'

/** What a reader sends before and after it opens the folder, and what the owner answers to the first. */
const [willOpen, hasOpened, mayOpen] = ['open\n', 'opened\n', '\npaused\n']
/** How long to wait for the owner, which answers after the commit in progress. */
const answerTimeoutMs = 30_000

/** What the owner of a folder has for its readers. */
export interface Owner {
  readonly gate: CommitGate
  /** Called when a reader has closed the folder, or was killed. */
  readerLeft(): void
}

/** Serves a connection of a reader. */
export function serveReader(socket: Socket, { gate, readerLeft }: Owner): void {
  let asked = ''
  let release = () => {}
  const pause = async () => {
    release = await gate.hold()
    if (socket.destroyed) release()
    else socket.write(mayOpen)
  }
  socket.setEncoding('utf8').on('data', (text: string) => {
    asked += text
    if (asked === willOpen) void pause()
    else if (asked === willOpen + hasOpened) release()
    else socket.destroy()
  })
  socket.once('close', () => {
    release()
    if (asked !== '') readerLeft()
  })
}

/**
 * Calls `open` while the owner of a folder makes no commit, or at once when the folder has none. Returns what it returns, and a function to call
 * when the folder is closed again.
 * @throws LogError when the owner does not answer, or what `open` throws
 */
export async function openBeside<Opened>(folder: string, open: () => Opened): Promise<[Opened, leave: () => void]> {
  const socket = await FolderLock.connect(folder)
  if (!socket) return [open(), () => {}]
  try {
    await paused(socket, folder)
    const opened = open()
    socket.write(hasOpened)
    return [opened, () => socket.destroy()]
  } catch (error) {
    socket.destroy()
    throw error
  }
}

function paused(socket: Socket, folder: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let answer = ''
    socket.setEncoding('utf8').on('data', (text: string) => {
      answer += text
      if (!answer.endsWith(mayOpen)) return
      socket.setTimeout(0)
      resolve()
    })
    // Rejecting does nothing once the owner has answered.
    socket
      .on('error', () => {})
      .once('close', () => {
        reject(
          new LogError(`${folder} is in use by a process that does not answer; stop or continue it, and try again`)
        )
      })
    socket.setTimeout(answerTimeoutMs, () => socket.destroy())
    socket.write(willOpen)
  })
}
