// Processes that compete for one folder, in this container or another, and the files that a killed process leaves behind.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { linkSync } from 'node:fs'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'

const library = new URL('../../../dist/index.js', import.meta.url).href

/** The reason why a separate PID namespace is unavailable here; undefined if it is available. */
export function noNamespace(): string | undefined {
  try {
    execFileSync('unshare', ['--pid', '--fork', '--mount-proc', 'true'], { stdio: 'pipe' })
    return undefined
  } catch (error) {
    const obstacle = `unshare: ${(error as Error).message.trim().split('\n').at(-1)}`
    if (process.env.CI === 'true') throw new Error(obstacle)
    return obstacle
  }
}

/** Creates a socket without a listener, as a killed process leaves it. */
export async function staleSocket(path: string): Promise<void> {
  const server = createServer().listen(`${path}.live`)
  await once(server, 'listening')
  linkSync(`${path}.live`, path)
  // Closing unlinks the bound name; the second name remains.
  server.close()
  await once(server, 'close')
}

/** Processes that open a log on request, and keep it open until the next request. */
export async function startContenders(count: number): Promise<{ open(path: string): Promise<string> }[]> {
  const script = `const { LmdbLog } = await import(${JSON.stringify(library)})
    const { createInterface } = await import('node:readline')
    let log
    console.log('ready')
    for await (const path of createInterface(process.stdin)) {
      await log?.close()
      log = undefined
      try { log = await LmdbLog.open({ path }); console.log('mine') }
      catch (error) { console.log(/in use/.test(error.message) ? 'refused' : error.stack.replaceAll('\\n', ' ')) }
    }
    await log?.close()`
  return Promise.all(Array.from({ length: count }, () => startContender(script)))
}

async function startContender(script: string): Promise<{ open(path: string): Promise<string> }> {
  const child: ChildProcess = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['pipe', 'pipe', 'inherit']
  })
  onTestFinished(async () => {
    child.stdin?.end()
    if (child.exitCode === null) await once(child, 'close')
  })
  const lines = createInterface(child.stdout as NodeJS.ReadableStream)[Symbol.asyncIterator]()
  await lines.next()
  return {
    open: async (path) => {
      child.stdin?.write(`${path}\n`)
      return String((await lines.next()).value)
    }
  }
}
