// Installs examples/nextjs with the packed tidings, outside the project, and runs it by the commands of its README.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished } from 'vitest'
import { ask } from '../http/http.ts'
import type { Found } from '../requirements.ts'
import { freePort } from './free-port.ts'

const example = resolve('examples/nextjs')
const run = promisify(execFile)
const env = { ...process.env, NODE_ENV: 'production' as const, NEXT_TELEMETRY_DISABLED: '1' }

/** The commands of the README: `before` they are in the folder of the example, then `install` and `build`, and `start`, which runs on. */
const [, before = '', install = '', build = '', start = ''] =
  /```sh\n(.*)\ncd examples\/nextjs\n(.*)\n(.*)\n(.*)\n```/.exec(readFileSync(join(example, 'README.md'), 'utf8')) ?? []

/** @throws Error with `CI=true` if the registry does not serve Next.js */
export async function nextjs(): Promise<Found> {
  const manifest = readFileSync(join(example, 'package.json'), 'utf8')
  const { dependencies } = JSON.parse(manifest) as { dependencies: { next: string } }
  const name = `next@${dependencies.next}`
  const args = ['view', name, 'version', '--fetch-retries=0', '--fetch-timeout=10000']
  const missing = await run('npm', args).then(
    () => undefined,
    () => `the registry of npm does not serve ${name}`
  )
  if (missing === undefined) return { path: example }
  if (process.env.CI === 'true') throw new Error(missing)
  return { missing }
}

/**
 * Copies the example, installs it and builds it.
 * @param add adds files to the copy before it is built
 */
export async function buildNextApp(add: (folder: string) => void): Promise<{ folder: string; remove: () => void }> {
  const folder = mkdtempSync(join(tmpdir(), 'tidings-nextjs-'))
  cpSync(example, folder, { recursive: true, filter: (path) => !/node_modules|\.next|\.tgz/.test(path) })
  // The project is built already.
  expect(before).toBe('npm run build && npm pack --pack-destination examples/nextjs')
  await run('npm', ['pack', '--pack-destination', folder])
  add(folder)
  for (const command of [install, build]) await shell(command, folder)
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** What the command prints belongs to the error, since Next.js prints errors to stdout. */
async function shell(command: string, cwd: string): Promise<void> {
  await run('sh', ['-c', command], { cwd, env }).catch(({ stdout, stderr }: { stdout: string; stderr: string }) => {
    throw new Error(`${command} failed:\n${stdout}\n${stderr}`)
  })
}

export interface NextServer {
  readonly url: string
  /** Sends SIGTERM to the processes of the server, and waits until they have ended. */
  stop(): Promise<void>
}

/** Runs the app until the test ends. */
export async function startNextApp(folder: string, command = start): Promise<NextServer> {
  const port = await freePort()
  const child = spawn('sh', ['-c', `${command} -- --hostname 127.0.0.1`], {
    cwd: folder,
    // `next dev` sets NODE_ENV itself.
    env: { ...env, NODE_ENV: command === start ? 'production' : 'development', PORT: String(port) },
    // A process group of its own: npm runs it in a shell.
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit']
  })
  const closed = once(child, 'close')
  const kill = async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-(child.pid as number), signal)
    await closed
  }
  onTestFinished(() => kill('SIGKILL'))
  const url = `http://127.0.0.1:${port}`
  // The development server builds what is asked for, and the route is smaller than the page.
  const isUp = () =>
    ask(`${url}/events/updates`).then(
      ({ status }) => status === 200,
      () => false
    )
  await expect.poll(isUp, { timeout: 60_000 }).toBe(true)
  return { url, stop: () => kill('SIGTERM') }
}
