// Servers with two worker processes. Their log lines of level `debug` say which worker has a stream, and which process a worker is.
import { expect, onTestFinished } from 'vitest'
import { ask } from '../http/http.ts'
import { listen, type SseClient } from '../http/sse-client.ts'
import { begin } from './cli.ts'
import { type ServerProcess, startServer } from './server.ts'

interface Line {
  readonly msg: string
  readonly worker?: number
  readonly pid?: number
  readonly request?: string
}

type Printed = Pick<ServerProcess, 'output'>

export const withWorkers = ['--workers', '2', '--log-level', 'debug', '--log-format', 'json']

/** Two workers, until the test ends. */
export async function startWorkers(...args: string[]): Promise<ServerProcess> {
  const server = await startServer({ args: [...withWorkers, ...args] })
  onTestFinished(() => server.kill('SIGKILL'))
  return server
}

/** The same as a command, whose exit code is known. Its group is of its own. `ended` resolves when the last process is gone. */
export async function beginWorkers(args: readonly string[] = [], env: NodeJS.ProcessEnv = {}) {
  const command = begin(['serve', '--port', '0', ...withWorkers, ...args], env, { isGroup: true })
  const find = () => /listening on (\S+?)(?:,| and)/.exec(command.stdout)?.[1]
  await command.until(({ stderr }) => stderr.includes('"msg":"started"') && find() !== undefined, 'the start')
  const url = find() as string
  return Object.assign(command, { url, output: () => command.stderr })
}

export function linesOf({ output }: Printed): Line[] {
  return output()
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line) as Line)
}

/** How often a line was logged. */
export const timesOf = (server: Printed, start: string) =>
  linesOf(server).filter(({ msg }) => msg.startsWith(start)).length

/** The processes of workers that have started, the newest last. */
export const processesOf = (server: Printed, number: number) =>
  linesOf(server).flatMap(({ msg, worker, pid }) =>
    msg === 'a worker has started' && worker === number && pid ? [pid] : []
  )

/** The number of the worker that has a stream. */
export async function workerOf(server: Printed, { headers }: SseClient): Promise<number> {
  const find = () => linesOf(server).find(({ msg, request }) => msg === 'joined' && request === headers['x-request-id'])
  await expect.poll(find).toBeDefined()
  return find()?.worker as number
}

/** A stream on each worker. */
export async function listenOnBoth(
  server: Pick<ServerProcess, 'url' | 'output'>,
  path = '/subscribe',
  headers: Record<string, string> = {}
): Promise<readonly [SseClient, SseClient]> {
  const found = new Map<number, SseClient>()
  while (found.size < 2) {
    const stream = await listen(server.url + path, headers)
    const worker = await workerOf(server, stream)
    if (found.has(worker)) stream.close()
    else found.set(worker, stream)
  }
  return [found.get(1) as SseClient, found.get(2) as SseClient]
}

/** Kills a worker with SIGKILL, and waits for the one that replaces it. */
export async function killWorker(server: Printed, number: number): Promise<void> {
  const before = processesOf(server, number)
  process.kill(before.at(-1) as number, 'SIGKILL')
  await expect.poll(() => processesOf(server, number).length).toBe(before.length + 1)
}

/** The same request on more connections than there are workers, one after the other, so that each worker gets it. */
export async function askBoth<Result>(request: () => Promise<Result>): Promise<Result[]> {
  const results: Result[] = []
  for (let count = 0; count < 4; count++) results.push(await request())
  return results
}

/** A value in the text of /metrics. */
export async function metricOf(url: string, name: string, headers: Record<string, string> = {}): Promise<number> {
  const { text } = await ask(`${url}/metrics`, { headers })
  return Number(new RegExp(`^tidings_${name} (.*)$`, 'm').exec(text)?.[1])
}

export const descriptionOf = async (url: string, headers: Record<string, string> = {}) =>
  (await ask(`${url}/debug`, { headers: { Accept: 'application/json', ...headers } })).json() as {
    readonly subscribers: number
    readonly published: number
    readonly delivered: number
    readonly head: number
    readonly subscriptions: readonly unknown[]
  }
