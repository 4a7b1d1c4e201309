// The lines of a stream of bytes, to be taken when there is use for them: what is not taken yet holds the stream back. It
// knows not what they are for.
import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'

/** Characters that may wait before the stream is held back. */
const maxWaiting = 2 ** 22

export class Lines {
  readonly #input: Readable
  readonly #decoder = new StringDecoder('utf8')
  readonly #waiting: string[] = []
  #begun = ''
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

  /** The number of the first line that waits, from 1. */
  get number(): number {
    return this.#taken + 1
  }

  get waiting(): number {
    return this.#waiting.length
  }

  /**
   * Waits for a line, and answers those there are: at most `count`, and not many more than `size` characters. They stay until
   * `drop`. None is the end. Rejects where the stream failed and nothing is left.
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

  /** Takes no more from the stream; what was read stays, with a last line that may not be whole. */
  stop(): void {
    if (this.#ended) return
    this.#ended = true
    const last = this.#begun + this.#decoder.end()
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
    const parts = (this.#begun + text).split('\n')
    this.#begun = parts.pop() as string
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
