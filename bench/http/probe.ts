// Starts the process that measures what a lone user notices.
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { start, stop } from '../support/process.ts'

/** 99th percentiles, in milliseconds. */
export interface ProbeResult {
  readonly stream: number
  readonly publish: number
  readonly healthz: number
  readonly samples: number
}

const program = fileURLToPath(new URL('./probe-process.js', import.meta.url))

/** Resolves when the lone user is connected. `end` returns what it noticed since. */
export async function startProbe(port: number): Promise<{ end(): Promise<ProbeResult> }> {
  const started = start(process.execPath, [program, String(port)], { ipc: true })
  const { child } = started
  await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => {
      throw new Error(`the probe ended: ${started.complaint()}`)
    })
  ])
  return {
    async end() {
      const result = once(child, 'message')
      child.send('end')
      const [found] = (await result) as [ProbeResult]
      await stop(started)
      return found
    }
  }
}
