// Starts a program that prints its address, such as a server of examples/.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { onTestFinished } from 'vitest'

/** Resolves to the address. The program is stopped with SIGTERM when the test ends. */
export async function startProgram(path: string, env: Record<string, string> = {}): Promise<string> {
  const child = spawn(process.execPath, [path], { env: { ...process.env, PORT: '0', ...env } })
  const ended = once(child, 'close')
  onTestFinished(async () => {
    child.kill()
    await ended
  })
  let output = ''
  return new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        output += chunk
        const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(output) ?? []
        if (url) resolve(url)
      })
    }
    child.once('close', () => reject(new Error(`${path} ended before it printed its address: ${output}`)))
  })
}
