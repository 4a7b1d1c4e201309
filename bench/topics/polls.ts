// Long-polling clients: each asks for the next page as soon as it has one, and counts what arrives.
import { Agent, request } from 'node:http'

interface Page {
  readonly updates: readonly { readonly time: number }[]
  readonly lastEventId: string
}

export class Polls {
  /** Updates that arrived, over all clients. */
  deliveries = 0
  failures = 0
  /** Milliseconds from the append of an update until a client has parsed it. The server's clock is this machine's. */
  latencies: number[] = []
  readonly #agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY })
  readonly #port: number
  readonly #topic: string
  #isDone = false
  #clients: Promise<void>[] = []

  constructor(port: number, topic: string) {
    this.#port = port
    this.#topic = topic
  }

  open(count: number): void {
    this.#clients = Array.from({ length: count }, () => this.#poll())
  }

  async stop(): Promise<void> {
    this.#isDone = true
    this.#agent.destroy()
    await Promise.all(this.#clients)
  }

  async #poll(): Promise<void> {
    for (let after = ''; !this.#isDone; ) {
      const position = after === '' ? '' : `&after=${encodeURIComponent(after)}`
      try {
        const page = await this.#get(`/updates?topic=${this.#topic}&wait=30s&limit=1000${position}`)
        const now = Date.now()
        for (const { time } of page.updates) this.latencies.push(now - time)
        this.deliveries += page.updates.length
        after = page.lastEventId
      } catch {
        if (!this.#isDone) this.failures++
      }
    }
  }

  #get(path: string): Promise<Page> {
    return new Promise((resolve, reject) => {
      const sent = request({ port: this.#port, host: '127.0.0.1', path, agent: this.#agent }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk
        })
        response.on('error', reject).on('end', () => {
          if (response.statusCode === 200) resolve(JSON.parse(text) as Page)
          else reject(new Error(String(response.statusCode)))
        })
      })
      sent.on('error', reject).end()
    })
  }
}
