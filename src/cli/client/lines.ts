// Splits a stream of bytes into lines, with backpressure: lines that are not taken yet pause the stream.
import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'

/** Characters that may wait before the stream is paused. */
const maxWaiting = 2 ** 22

export class Lines {
  readonly #input: Readable
  readonly #decoder = new StringDecoder('utf8')
  readonly #waiting: string[] = []
  #partial = ''
  #size = 0
  #taken = 0
  #ended = false
  #error: Error | undefined
  #changed = () => {}

  constructor(input: Readable) {
    this.#input = input
    input.on('data', (chunk: Buffer) => this.#add(this.#decoder.write(chunk)))
    input.on('end', () => this.stop())
    input.on('error', (error) => {
      this.#error = error
      this.stop()
    })
  }

  /** The number of the first waiting line, from 1. */
  get number(): number {
    return this.#taken + 1
  }

  get waiting(): number {
    return this.#waiting.length
  }

  /**
   * Waits for a line, and returns the waiting ones: at most `count`, and about `size` characters. They stay until `drop`. An empty
   * list is the end. Rejects if the stream has failed and no line is left.
   */
  async peek(count: number, size: number): Promise<string[]> {
    while (this.#waiting.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#changed = resolve
      })
    }
    if (this.#waiting.length === 0 && this.#error) throw this.#error
    return this.#first(count, size)
  }

  drop(count: number): void {
    for (const line of this.#waiting.splice(0, count)) this.#size -= line.length
    this.#taken += count
    if (this.#size < maxWaiting && !this.#ended) this.#input.resume()
  }

  /** Stops reading. Lines that were read stay, with a last line that may be incomplete. */
  stop(): void {
    if (this.#ended) return
    this.#ended = true
    const last = this.#partial + this.#decoder.end()
    if (last !== '') this.#push(last)
    this.#input.destroy()
    this.#changed()
  }

  #first(count: number, size: number): string[] {
    const lines: string[] = []
    let left = size
    for (const line of this.#waiting) {
      left -= line.length
      if (lines.length === count || (left < 0 && lines.length > 0)) break
      lines.push(line)
    }
    return lines
  }

  #add(text: string): void {
    if (this.#ended) return
    const parts = (this.#partial + text).split('\n')
    this.#partial = parts.pop() as string
    for (const line of parts) this.#push(line)
    if (this.#size >= maxWaiting) this.#input.pause()
    this.#changed()
  }

  #push(line: string): void {
    const text = line.endsWith('\r') ? line.slice(0, -1) : line
    this.#waiting.push(text)
    this.#size += text.length
  }
}
