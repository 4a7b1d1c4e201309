// The readers of the runs benchmark: one stream for each run, which count tokens and measure how old they are.
import { get, type IncomingMessage } from 'node:http'

export class Readers {
  /** Milliseconds from the moment when the writer got a token until a reader has it. */
  readonly latencies: number[] = []
  #ended: Promise<void>[] = []

  /** Resolves when all streams have begun. */
  async open(port: number, count: number): Promise<void> {
    const responses = await Promise.all(Array.from({ length: count }, (_, n) => this.#request(port, n)))
    this.#ended = responses.map((response) => this.#read(response))
  }

  /** Resolves when all streams have ended. */
  async ended(): Promise<void> {
    await Promise.all(this.#ended)
  }

  #request(port: number, n: number): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      get({ port, host: '127.0.0.1', path: `/subscribe?topic=runs/${n}`, agent: false }, resolve).on('error', reject)
    })
  }

  #read(response: IncomingMessage): Promise<void> {
    let rest = ''
    response.setEncoding('latin1').on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop() as string
      const now = performance.timeOrigin + performance.now()
      for (const line of lines) {
        const [, sent] = /"sent":([\d.]+)/.exec(line) ?? []
        if (sent !== undefined) this.latencies.push(now - Number(sent))
      }
    })
    return new Promise((resolve, reject) => response.on('end', resolve).on('error', reject))
  }
}
