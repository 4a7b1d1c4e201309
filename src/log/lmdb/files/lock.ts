// The lock of a folder: a Unix socket on which its process listens. The kernel closes it with the process, and answers in every
// container, where a process id means nothing.
import { createHash, randomUUID } from 'node:crypto'
import { linkSync, lstatSync, renameSync, rmSync } from 'node:fs'
import type { Server, Socket } from 'node:net'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { LogError } from '../../error.ts'
import { askSocket, connectTo, listenOn } from './lock-socket.ts'

const lockName = 'owner.sock'
/** A try fails only when another process takes or releases the lock at the same moment. */
const maxTries = 100

/** The locks of this process, by the answer of their sockets. */
const held = new Set<string>()

/** Held until it is released, or the process ends in any way. */
export class FolderLock {
  readonly #file: string
  readonly #server: Server
  readonly #answer: string
  readonly #identity: string | undefined

  private constructor(file: string, server: Server, answer: string, identity?: string) {
    this.#file = file
    this.#server = server
    this.#answer = answer
    this.#identity = identity
  }

  /**
   * @param serve called with each connection to the lock, which may send more than the answer
   * @throws LogError when another process, or this one, uses the folder already, or when it cannot hold sockets
   */
  static async take(folder: string, serve?: (socket: Socket) => void): Promise<FolderLock> {
    if (process.platform === 'win32') return FolderLock.#takePipe(folder, serve)
    const lock = await FolderLock.#take(folder, lockName, serve)
    // The lock file of earlier versions.
    rmSync(join(folder, 'owner'), { force: true })
    return lock
  }

  /**
   * A connection to the process that has the lock; undefined when none has it.
   * @throws LogError when this user may not connect
   */
  static async connect(folder: string): Promise<Socket | undefined> {
    try {
      return process.platform === 'win32' ? await connectTo('', pipeOf(folder)) : await connectTo(folder, lockName)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      throw new LogError(`${folder} is in use, and its process cannot be asked (${code}); run this as the same user`)
    }
  }

  static async #take(folder: string, name: string, serve?: (socket: Socket) => void): Promise<FolderLock> {
    const file = join(folder, name)
    const draftName = `owner.${randomUUID()}`
    const draft = join(folder, draftName)
    const answer = newAnswer()
    const server = await listenOn(folder, draftName, answering(answer, serve))
    const lock = new FolderLock(file, server, answer, identify(draft))
    try {
      for (let tries = 0; tries < maxTries; tries++) if (await lock.#try(folder, name, draft)) return lock
      throw new LogError(`${folder} is being opened by too many processes at once; try again`)
    } catch (error) {
      server.close()
      throw error
    } finally {
      rmSync(draft, { force: true })
    }
  }

  /** On Windows: a named pipe, which has one server and ends with its process. */
  static async #takePipe(folder: string, serve?: (socket: Socket) => void): Promise<FolderLock> {
    const pipe = pipeOf(folder)
    const answer = newAnswer()
    try {
      const lock = new FolderLock(pipe, await listenOn('', pipe, answering(answer, serve)), answer)
      held.add(answer)
      return lock
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') refuse(folder, (await askSocket('', pipe)) ?? '')
      throw error
    }
  }

  /** Releases the lock. Safe to call twice. */
  release(): void {
    held.delete(this.#answer)
    if (this.#identity !== undefined && identify(this.#file) === this.#identity) rmSync(this.#file, { force: true })
    this.#server.close()
  }

  async #try(folder: string, name: string, draft: string): Promise<boolean> {
    if (link(draft, this.#file, folder)) {
      held.add(this.#answer)
      return true
    }
    const found = identify(this.#file)
    const answer = await askSocket(folder, name)
    if (answer !== undefined) refuse(folder, answer)
    return found !== undefined && (await this.#replace(found, folder, draft))
  }

  /**
   * Replaces the lock of a dead process, unless another process already has. That needs a second lock, named after the dead one: two
   * processes that see the same dead lock cannot both replace it.
   */
  async #replace(dead: string, folder: string, draft: string): Promise<boolean> {
    const right = await FolderLock.#take(folder, `owner.${hashOf(`${this.#file} ${dead}`)}`)
    try {
      if (identify(this.#file) !== dead) return false
      renameSync(draft, this.#file)
      held.add(this.#answer)
      return true
    } finally {
      right.release()
    }
  }
}

function pipeOf(folder: string): string {
  return `\\\\.\\pipe\\tidings-${hashOf(folder.toLowerCase())}`
}

/** Sends the answer to each connection, which ends when the other side has sent everything. */
function answering(answer: string, serve?: (socket: Socket) => void): (socket: Socket) => void {
  return (socket) => {
    socket.once('end', () => socket.end()).write(answer)
    if (serve) serve(socket)
    else socket.resume()
  }
}

/** The answer of a socket: its process, and a unique word. */
function newAnswer(): string {
  return `${process.pid} ${hostname()} ${randomUUID()}`
}

function refuse(folder: string, answer: string): never {
  const [pid, host] = answer.split(' ')
  const where = host === undefined || host === hostname() ? '' : ` on host ${host}`
  const named = pid ? ` (pid ${pid}${where})` : ''
  const who = held.has(answer) ? `this process${named}` : `another process${named}`
  throw new LogError(`${folder} is in use by ${who}; stop that first, or keep this log in another folder`)
}

/** Gives a file another name; false when the name is taken. */
function link(from: string, to: string, folder: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return false
    throw new LogError(
      `${folder} cannot hold a log: the socket that locks it cannot be linked there (${code}); choose a folder on a local file system`
    )
  }
}

/** Identifies a file among all that ever had its name; undefined when there is none. */
function identify(file: string): string | undefined {
  const stat = lstatSync(file, { bigint: true, throwIfNoEntry: false })
  return stat && `${stat.ino} ${stat.mtimeNs}`
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32)
}
