// Contenders of the log benchmark behind HTTP: a server as `npm start` starts it, and keep-alive connections that publish to it.
import { Agent, request } from 'node:http'
import { fileURLToPath } from 'node:url'
import type { Update } from 'tidings'
import { startNode } from '../contenders/program.ts'
import type { Contender, Keeper } from './contenders.ts'

const program = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url))

const served = (name: string, args: (path: string) => string[]): Contender => ({
  name,
  open: async (path) => {
    const server = await startNode(program, 'serve', '--port', '0', ...args(path))
    return new HttpKeeper(server.port, server.stop)
  }
})

export const httpContenders: readonly Contender[] = [
  served('serve --data', (path) => ['--data', path]),
  served('serve --data --durability os', (path) => ['--data', path, '--durability', 'os']),
  served('serve, in memory', () => [])
]

class HttpKeeper implements Keeper {
  readonly #agent = new Agent({ keepAlive: true })
  readonly #port: number
  readonly #stop: () => Promise<void>

  constructor(port: number, stop: () => Promise<void>) {
    this.#port = port
    this.#stop = stop
  }

  /** Sends a single update as text, and several as one line of JSON each. */
  append(updates: readonly Update[]): Promise<void> {
    const [first] = updates
    if (updates.length === 1 && first) return this.#post(`/publish?topic=${first.topics[0]}`, 'text/plain', first.data)
    const lines = updates.map(({ topics, data }) => JSON.stringify({ topics, data }))
    return this.#post('/publish', 'application/x-ndjson', lines.join('\n'))
  }

  async close(): Promise<void> {
    this.#agent.destroy()
    await this.#stop()
  }

  #post(path: string, type: string, body: string): Promise<void> {
    const headers = { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) }
    return new Promise((resolve, reject) => {
      const options = { port: this.#port, host: '127.0.0.1', method: 'POST', path, headers, agent: this.#agent }
      const sent = request(options, (response) => {
        const refused = () => reject(new Error(`a publish was answered with ${response.statusCode}`))
        response.resume().on('end', response.statusCode === 200 ? resolve : refused)
      })
      sent.on('error', reject).end(body)
    })
  }
}
