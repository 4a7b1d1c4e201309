// A publisher for crash tests: it publishes sequentially on its own connection until the server is gone, and
// records acknowledged and merely sent updates separately.
import { Agent, request as httpRequest } from 'node:http'
import type { Random } from '../random.ts'

/** One request: the data of its updates, in order, and their ids after it was acknowledged. */
export interface Sent {
  readonly data: readonly string[]
  readonly ownId?: string
  ids?: readonly string[]
}

export class CrashPublisher {
  readonly topic: string
  readonly sent: Sent[] = []
  readonly #random: Random
  #count = 0

  constructor(topic: string, random: Random) {
    this.topic = topic
    this.#random = random
  }

  get acknowledged(): number {
    return this.sent.filter(({ ids }) => ids).length
  }

  /** Publishes until a request fails, which happens when the server is killed. */
  async publishUntilGone(url: string): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    while (await this.#publishOne(url, agent));
    agent.destroy()
  }

  async #publishOne(url: string, agent: Agent): Promise<boolean> {
    const sent = this.#next()
    this.sent.push(sent)
    try {
      sent.ids =
        sent.data.length > 1 ? await this.#sendBatch(url, agent, sent) : await this.#sendSingle(url, agent, sent)
      return true
    } catch {
      return false
    }
  }

  #next(): Sent {
    const size = this.#random.chance(0.3) ? this.#random.between(2, 20) : 1
    const data = Array.from({ length: size }, () =>
      `${this.topic}:${this.#count++}`.padEnd(this.#random.between(0, 500), '.')
    )
    const isOwn = size === 1 && this.#random.chance(0.3)
    return { data, ...(isOwn && { ownId: `own-${this.topic}-${this.#count}` }) }
  }

  #sendSingle(url: string, agent: Agent, { data, ownId }: Sent): Promise<string[]> {
    const query = new URLSearchParams({ topic: this.topic, ...(ownId && { id: ownId }) })
    return send(`${url}/publish?${query}`, agent, 'text/plain', data[0] as string)
  }

  #sendBatch(url: string, agent: Agent, { data }: Sent): Promise<string[]> {
    const lines = data.map((text) => JSON.stringify({ topic: this.topic, data: text }))
    return send(`${url}/publish`, agent, 'application/x-ndjson', lines.join('\n'))
  }
}

/** Returns the acknowledged ids; rejects if the server did not acknowledge all of them. */
function send(url: string, agent: Agent, type: string, body: string): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const headers = { 'Content-Type': type, Accept: 'application/json' }
    const request = httpRequest(url, { method: 'POST', agent, headers }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString()
      })
      response.on('error', reject)
      response.on('end', () => {
        if (response.complete && response.statusCode === 200) resolve((JSON.parse(text) as { ids: string[] }).ids)
        else reject(new Error(`${response.statusCode}: ${text}`))
      })
    })
    request.on('error', reject)
    request.end(body)
  })
}
