// Starts a contender that is a Node program which prints its address.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { family, said, start, stop } from '../support/process.ts'
import type { Server } from './contender.ts'

/** Runs with the Node flags of the benchmark, usually none, in a folder of its own, so that no file reaches the next round. */
export async function startNode(program: string, ...args: string[]): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  const started = start(process.execPath, [...process.execArgv, program, ...args], { cwd: folder })
  const address = await said(started, /http:\/\/[^\s/:]+:(\d+)/)
  return {
    port: Number(address[1]),
    pids: family(started.pid),
    async stop() {
      await stop(started)
      rmSync(folder, { recursive: true, force: true })
    }
  }
}
