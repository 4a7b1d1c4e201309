// Starts an example by the command of its README, on a free port.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { onTestFinished } from 'vitest'

/** Resolves with its URL when it has printed it. It gets SIGTERM when the test ends, and must then exit with 0. */
export async function startExample(name: string, env: Record<string, string> = {}): Promise<string> {
  const readme = readFileSync(`examples/${name}/README.md`, 'utf8')
  const [, script] = /^npm run build && node (\S+)$/m.exec(readme) ?? []
  if (script === undefined) throw new Error(`examples/${name}/README.md has no command`)
  const child = spawn(process.execPath, [script], {
    env: { ...process.env, PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const exited = once(child, 'exit')
  onTestFinished(async () => {
    child.kill('SIGTERM')
    const [code, signal] = await exited
    if (code !== 0) throw new Error(`examples/${name} ended with ${code ?? signal}`)
  })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  return String(line).trim()
}
